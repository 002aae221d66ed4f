/* The commands of onekey-sim. Each gets its own name as argv[0] and returns an exit status. */
#ifndef ONEKEY_SIM_COMMAND_H
#define ONEKEY_SIM_COMMAND_H

int protocols_command(int argc, char **argv);
int replay_command(int argc, char **argv);
int readings_command(int argc, char **argv);
int play_command(int argc, char **argv);
int fleet_command(int argc, char **argv);
int load_command(int argc, char **argv);
int silence_command(int argc, char **argv);
int history_command(int argc, char **argv);

#endif
