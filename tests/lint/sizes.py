"""Functions, files and headers that one can read in one go."""
import source

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
HEADER_LINES_MAX = 120  # without comments, blanks and the three lines of the guard
PARAMETERS_MAX = 6


def check_functions():
    problems = []
    for name in source.c_files():
        for function in source.functions(name):
            if function.size > FUNCTION_LINES_MAX:
                problems.append(f"{function} has {function.size} lines")
            if function.parameters > PARAMETERS_MAX:
                problems.append(f"{function} takes {function.parameters} parameters")
    return problems


def check_files():
    problems = []
    for name in source.c_files():
        lines = source.text(name).count("\n")
        if lines > FILE_LINES_MAX:
            problems.append(f"{name} has {lines} lines")
        dense = sum(1 for line in source.code(name).split("\n") if line.strip())
        if name.endswith(".h") and dense - 3 > HEADER_LINES_MAX:
            problems.append(f"{name} has {dense - 3} lines without comments, blanks and guard")
    return problems


CHECKS = [(f"functions of at most {FUNCTION_LINES_MAX} lines and {PARAMETERS_MAX} parameters",
           check_functions),
          (f"files of at most {FILE_LINES_MAX} lines, headers of {HEADER_LINES_MAX}", check_files)]
