"""Fifty ways of returning a notebook that is up to no good: what stands in an answer cell, or what lies in its place.

A cell leaves ``answer = "reached"`` where it got what it must not. ``KEY`` is the file of the key, ``CLASS`` the folder
of the class, ``OUTSIDE`` a folder of the machine.
"""

import json
import os
from pathlib import Path

TRY = """
def tried(*ways):
    for way in ways:
        try:
            found = way()
            if found is not None and found is not False and "share-of-myalgia" in str(found):
                return "reached"
        except BaseException:
            pass
    return "kept out"
"""
READS = {
    "open": "lambda: open('KEY').read()",
    "low": "lambda: __import__('os').read(__import__('os').open('KEY', 0), 99999)",
    "pandas": "lambda: __import__('pandas').read_csv('KEY')",
    "arrow": "lambda: __import__('pyarrow').fs.LocalFileSystem().open_input_stream('KEY').read()",
    "arrow_map": "lambda: __import__('pyarrow').memory_map('KEY').read().to_pybytes()",
    "sqlite": "lambda: __import__('sqlite3').connect('KEY').execute('select * from sqlite_master').fetchall()",
    "cat": "lambda: __import__('subprocess').run(['cat', 'KEY'], capture_output=True).stdout",
    "shell": "lambda: __import__('os').popen('cat KEY CLASS/*/*').read()",
    "find": "lambda: __import__('os').popen('find / -name key.csv -exec cat {} +').read()",
    "libc": "lambda: (lambda c: (c.open(b'KEY', 0), __import__('os').read(c.open(b'KEY', 0), 99999))[1])"
    "(__import__('ctypes').CDLL(None))",
    "roots": "lambda: [open(f'/proc/{p}/rootKEY').read() for p in __import__('os').listdir('/proc') if p.isdigit()]",
    "memory": "lambda: [open(f'/proc/{p}/environ').read() for p in __import__('os').listdir('/proc') if p.isdigit()]",
    "link": "lambda: __import__('os').symlink('KEY', 'k') or open('k').read()",
    "hardlink": "lambda: __import__('os').link('KEY', 'h') or open('h').read()",
    "up": "lambda: [open(p).read() for p in __import__('glob').glob('../**/key.csv', recursive=True)]",
    "numpy": "lambda: __import__('numpy').fromfile('KEY', dtype='uint8').tobytes()",
    "mount": "lambda: __import__('os').popen('mount --bind CLASS /mnt && cat /mnt/instructor/key.csv').read()",
    "unshare": "lambda: __import__('os').popen('unshare -r cat KEY').read()",
    "garbage": "lambda: [o for o in __import__('gc').get_objects() if isinstance(o, str) and 'trainee,notebook' in o]",
    "neighbour": "lambda: 'share-of-myalgia' + open('CLASS/trainees/perfect/cohort.csv').read()",
}
CHANGES = {
    "writes_key": "open('KEY', 'a').write('x')",
    "deletes_key": "os.remove('KEY')",
    "renames": "os.rename('CLASS/instructor', 'CLASS/gone')",
    "chmods": "os.chmod('KEY', 0o777)",
    "removes": "__import__('shutil').rmtree('CLASS', ignore_errors=True)",
    "outside": "open('OUTSIDE/left', 'w').write('x')",
    "package": "open(__import__('nxp2lib').__file__, 'a').write('x')",
    "solver": "__import__('ortools.sat.python.cp_model').sat.python.cp_model.CpModel().export_to_file('OUTSIDE/left')",
    "root": "os.system('touch OUTSIDE/left; rm -rf OUTSIDE CLASS')",
}
LINGERS = {
    "daemon": "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(60)\n    os._exit(0)",
    "nohup": "__import__('subprocess').Popen(['sleep', '60'], start_new_session=True)",
    "threads": "[__import__('threading').Thread(target=time.sleep, args=(60,)).start() for _ in range(50)]",
    "later": "__import__('atexit').register(time.sleep, 60)",
    "server": "__import__('zmq').Context().socket(1).bind('tcp://*:5999')",
}
ENDS = {
    "exits": "os._exit(0)",
    "kills": "os.kill(-1, 9)",
    "kills_parent": "os.kill(os.getppid(), 9)",
    "crashes": "__import__('ctypes').string_at(0)",
    "loops": "while True: pass",
    "deaf": "import signal\n[signal.signal(n, signal.SIG_IGN) for n in range(1, 32) if n not in (9, 19)]\n"
    "while True: pass",
    "forks": "while True: os.fork()",
    "floods": "for place in range(1, 64):\n    try:\n        for _ in range(2000): os.write(place, b'x' * 65536)\n"
    "    except OSError: pass",
    "forges": 'for place in range(1, 64):\n    try: os.write(place, b\'{"answers": null, "errors": 7,'
    ' "ended": []}\')\n    except OSError: pass\nos._exit(0)',
    "half": "for place in range(1, 64):\n    try: os.write(place, b'{\"answers\": {')\n    except OSError: pass\n"
    "os._exit(0)",
    "fills": "open('a', 'wb').write(b'x' * (1 << 30))",
}
CELLS = {
    **{name: f"{TRY}\nanswer = tried({way})" for name, way in READS.items()},
    **{name: f"import os\ntry:\n    {change}\nexcept BaseException: pass\nanswer = 'done'" for name, change in
       CHANGES.items()},
    **{name: f"import os, time\ntry:\n    {'    '.join(line + chr(10) for line in act.split(chr(10)))}except OSError: "
       "pass\nanswer = 'done'" for name, act in LINGERS.items()},
    **{name: f"import os, time\n{act}\nanswer = 'done'" for name, act in ENDS.items()},
}  # fmt: skip
PLACES = ("folder", "pipe", "link_to_key", "huge", "deep", "no_cohort", "cohort_is_a_pipe", "wrong_types")


def lay(place: str, notebook: Path, key: Path) -> None:
    """Put something else in the place of a notebook, or of what lies beside it."""
    if place == "no_cohort":
        notebook.with_name("cohort.csv").unlink()
    elif place == "cohort_is_a_pipe":
        notebook.with_name("cohort.csv").unlink()
        os.mkfifo(notebook.with_name("cohort.csv"))
    else:
        notebook.unlink()
    if place == "folder":
        notebook.mkdir()
    elif place == "pipe":
        os.mkfifo(notebook)
    elif place == "link_to_key":
        notebook.symlink_to(key)
    elif place == "huge":
        notebook.write_text('"' + "x" * (21 << 20) + '"')
    elif place == "deep":
        notebook.write_text("[" * 100_000)
    elif place == "wrong_types":
        notebook.write_text(json.dumps({"cells": [{"cell_type": "code", "source": 7}, 3, None]}))
