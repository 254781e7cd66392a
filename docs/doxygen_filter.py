"""Shows Doxygen the comments of a header as it wants them.

Here a comment begins with // and not ///. That of the file is that of the class
which the file is named after. And one comment may be for all members up to the
next empty line or comment.
"""

import pathlib
import re
import sys

COMMENT = re.compile(r"(\s*)// ?(.*)")
TRAILING = re.compile(r"(.*\S)\s+// (.*)")
TYPE = re.compile(r"\s*(?:class|struct)\s+(?:alignas\(\d+\)\s+)?(\w+)[^;]*$")


def class_name(path):
    return "".join(part.capitalize() for part in pathlib.Path(path).stem.split("_"))


def with_code(comment):
    """The lines of a comment, of which those that stand in by two are a sample."""
    in_code = False
    for number, line in enumerate(comment):
        begins = line.startswith("  ") and (number == 0 or not comment[number - 1])
        if not in_code and begins:
            in_code = True
            yield "@code"
        rest = [text for text in comment[number:] if text]
        if in_code and not (rest and rest[0].startswith("  ")):
            in_code = False
            yield "@endcode"
        yield line
    if in_code:
        yield "@endcode"


def documented(comment, indent=""):
    for line in with_code(comment):
        yield f"{indent}/// {line}".rstrip()


def show(path):
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    head = 0
    while COMMENT.fullmatch(lines[head]):
        head += 1
    about = [COMMENT.fullmatch(line)[2] for line in lines[:head]]
    yield from documented(["@file", *about])
    pending = []  # a comment that has begun
    shared = []  # the comment of the members that follow
    column = None  # of the last line's comment, if it stands after code
    for line in lines[head:]:
        comment = COMMENT.fullmatch(line)
        if comment and column == len(comment[1]):
            yield f"{comment[1]}///< {comment[2]}"
            continue
        if comment:
            if column is not None:
                yield ""  # or Doxygen would take the two comments for one
            column = None
            pending.append(comment[2])
            continue
        indent = line[: len(line) - len(line.lstrip())]
        named = TYPE.fullmatch(line)
        trailing = TRAILING.fullmatch(line)
        if pending:
            shared = pending
        elif not line.strip() or line.strip() in ("}", "};", "public:", "private:"):
            shared = []
        is_member = re.search(r"[;{]$", trailing[1] if trailing else line) and len(indent) in (0, 2)
        if pending:
            yield from documented(pending, indent)
        elif named and named[1].endswith(class_name(path)):
            yield from documented(about)
        elif shared and is_member and not trailing:
            yield ""
            yield from documented(shared, indent)
        pending = []
        column = None
        if line.endswith("{"):
            shared = []
        if trailing and not line.lstrip().startswith("#"):
            column = line.rindex("// " + trailing[2])
            yield f"{trailing[1]}  ///< {trailing[2]}"
        else:
            yield line


if __name__ == "__main__":
    print("\n".join(show(sys.argv[1])))
