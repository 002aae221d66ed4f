/* Between the browser and the console, so that a test can cut the line or make it go dead. */
import net from 'node:net';

export class Proxy {
  /* target: the console's URL. url: that of this proxy, once listen() has resolved. */
  constructor(target) {
    this.port = Number(new URL(target).port);
    this.pairs = new Set();
    this.isCut = this.isDead = false;
    this.server = net.createServer((browser) => this.join(browser));
  }

  listen() {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => {
      this.url = `http://127.0.0.1:${this.server.address().port}`;
      resolve(this);
    }));
  }

  join(browser) {
    if (this.isCut) { browser.destroy(); return; }
    const server = net.connect(this.port, '127.0.0.1');
    const pair = [browser, server];
    this.pairs.add(pair);
    browser.setNoDelay(true);
    server.setNoDelay(true);
    const end = () => { for (const socket of pair) socket.destroy(); this.pairs.delete(pair); };
    for (const [from, to] of [[browser, server], [server, browser]]) {
      from.on('data', (data) => { if (!this.isDead && !to.destroyed) to.write(data); });
      from.on('close', end);
      from.on('error', end);
    }
  }

  /* Ends every connection and takes no other. */
  cut() {
    this.isCut = true;
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
  }

  /* Says nothing more on any connection, as a cable that was pulled. */
  die() { this.isDead = true; }

  mend() {
    this.isCut = this.isDead = false;
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
  }

  close() {
    this.cut();
    this.server.close();
  }
}
