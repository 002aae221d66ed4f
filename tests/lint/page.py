"""The console's page: files one can read in one go, one set of words in two languages, no forgotten import."""
import json
import re

import source

FOLDER = "tools/console/web/src/"
FILE_LINES_MAX = 300
TEXTS = ("zh", "en")
# t('key') and word('group', ...): what the page asks for; a key with ${} in it is made while it runs.
KEY = re.compile(r"""\bt\(\s*(['"`])([\w.]+)\1""")
IMPORT = re.compile(r"^import \{([^}]*)\} from", re.MULTILINE)


def scripts():
    return [name for name in source.files()
            if name.endswith((".js", ".mjs")) and name.startswith((FOLDER, "tests/web/", "tools/console/web/"))]


def check_sizes():
    return [f"{name} has {lines} lines" for name in scripts()
            if (lines := source.text(name).count("\n")) > FILE_LINES_MAX]


def check_texts():
    texts = {name: json.loads(source.text(f"{FOLDER}text/{name}.json")) for name in TEXTS
             if f"{FOLDER}text/{name}.json" in source.files()}
    if not texts:
        return []
    known = set.intersection(*(set(text) for text in texts.values()))
    problems = [f"text/{name}.json alone has {key}" for name, text in texts.items()
                for key in sorted(set(text) - known)]
    problems += [f"text/{name}.json: {key} is empty or names other values than the other language"
                 for name, text in texts.items() for key, value in text.items() if key in known
                 and (not value or places(value) != places(texts[TEXTS[0]][key]))]
    for name in scripts():
        problems += [f"{name}: no text {key}" for _, key in KEY.findall(source.text(name))
                     if key not in known]
    return problems


def places(text):
    return set(re.findall(r"\{\w+\}", text))


def check_imports():
    problems = []
    for name in scripts():
        text = source.text(name)
        for names in IMPORT.findall(text):
            for imported in (part.split(" as ")[-1].strip() for part in names.split(",")):
                if imported and len(re.findall(rf"\b{re.escape(imported)}\b", text)) < 2:
                    problems.append(f"{name} imports {imported} and does not use it")
    return problems


CHECKS = [(f"scripts of at most {FILE_LINES_MAX} lines", check_sizes),
          ("the page's texts are there in both languages", check_texts),
          ("scripts import what they use", check_imports)]
