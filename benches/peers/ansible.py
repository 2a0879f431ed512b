"""Times the edits of the shipped production bundle, done by cbgen and by Ansible on this machine, in one run.

    python3 benches/peers/ansible.py CBGEN ANSIBLE_PLAYBOOK

CBGEN is a release build, ANSIBLE_PLAYBOOK the program of a pinned ansible-core. Both get the same copies of four servers with
the vendor files of the tests. cbgen does the phase `components` of each server with `apply`, then once more, then
`rollback`. Ansible gets the finished contents, which is the best it can be given: it need not understand a format. Each file is
one task `copy` with `backup`, over the connection `local`. Prints a table; asserts nothing about time.
"""

import hashlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parents[2]
EDITS = {"transform_xml", "replace_references", "set_terms", "set_lines"}


def sample(path):
    """The vendor file of the tests for an artifact of the bundle."""
    folder, name = path.split("/")[-2:]
    if name.startswith("site.config"):
        name = f"{folder}.site.config"
    elif name.lower().startswith("web.config"):
        name = f"{folder}.{name[:10]}"
    elif name == "settings.js.json":
        name = "settings.js"
    else:
        name = name.removesuffix(".xdt").replace(".set.", ".")
    return HERE / "tests/fixtures/vendor" / name


def place(root, target):
    """Where `C:\\X` is in a copy of a server."""
    return root / target.replace(":", "", 1).replace("\\", "/")


def contents(root):
    """Digest of every file outside the state of cbgen."""
    files = [path for path in root.rglob("*") if path.is_file() and "ProgramData" not in path.parts]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def times(root):
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and "ProgramData" not in path.parts}


def timed(commands, folder, codes=(0,)):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    for command in commands:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C.UTF-8", "ANSIBLE_PYTHON_INTERPRETER": sys.executable})
        if ran.returncode not in codes:
            sys.exit(f"{command} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{wall:.2f} s, {cpu:.2f} s CPU"


def main():
    cbgen, ansible = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    work = pathlib.Path(tempfile.mkdtemp(prefix="cbgen-peers-"))
    shutil.copytree(HERE / "inventories", work / "inventories")
    subprocess.run([cbgen, "build", "inventories/prod.yaml"], cwd=work, check=True, capture_output=True)
    archive = next((work / "out").glob("*.zip"))
    runbook = json.loads((work / "out/acme-prod/runbook.json").read_text())
    steps = [step for step in runbook["steps"] if step["phase"] == "components" and step.get("effect") in EDITS]
    servers = sorted({step["server"] for step in steps})
    for step in steps:
        path = place(work / "old" / step["server"], step["target"])
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            shutil.copy(sample(step["artifact"]), path)
    old = contents(work / "old")
    shutil.copytree(work / "old", work / "cbgen")
    shutil.copytree(work / "old", work / "ansible")

    def each(command, *more):
        return [[cbgen, command, *more, "--server", name, "--root", f"cbgen/{name}"] for name in servers]

    apply = each("apply", str(archive), "--phase", "components")
    first = timed(apply, work)
    new = contents(work / "cbgen")
    stamps = times(work / "cbgen")
    again = timed(apply, work)
    assert times(work / "cbgen") == stamps, "the second apply wrote something"
    wanted = {path: (work / "cbgen" / path).read_bytes().decode("utf-8", "surrogateescape") for path in new}
    back = timed(each("rollback"), work)
    assert contents(work / "cbgen") == old, "the way back is not exact"

    tasks = [
        {
            "name": path,
            "ansible.builtin.copy": {"src": str(work / "wanted" / path), "dest": str(work / "ansible" / path), "backup": True},
        }
        for path in sorted(new)
        if new[path] != old[path]
    ]
    for path, text in wanted.items():
        (work / "wanted" / path).parent.mkdir(parents=True, exist_ok=True)
        (work / "wanted" / path).write_bytes(text.encode("utf-8", "surrogateescape"))
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    (work / "play.json").write_text(json.dumps(play))
    command = [[ansible, "-i", "localhost,", "play.json"]]
    peer_first = timed(command, work)
    result = contents(work / "ansible")
    left = len(result) - len(new)
    assert all(result[path] == new[path] for path in new), "Ansible made something else"
    peer_again = timed(command, work)
    version = subprocess.run([ansible, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    print(f"{len(steps)} edits of {len(new)} files on {len(servers)} servers; {version}\n")
    for row in [
        ("", "cbgen", "ansible-core"),
        ("first run", first, peer_first),
        ("second run", again, peer_again),
        ("way back", back, "none"),
        ("files left beside", "0", str(left)),
    ]:
        print("| " + " | ".join(row) + " |")
    shutil.rmtree(work)


main()
