"""Ways of returning a notebook that is up to no good: what stands in an answer cell, or what lies in its place.

A cell leaves ``answer = "reached"`` where it got what it must not. ``KEY`` is the file of the key, ``CLASS`` the folder
of the class, ``OUTSIDE`` a folder of the machine.
"""

import ctypes
import json
import os
import platform
import shutil
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
    "up": "lambda: [open(p).read() for p in __import__('glob').glob('../*/*/key.csv')]",
    "numpy": "lambda: __import__('numpy').fromfile('KEY', dtype='uint8').tobytes()",
    "mount": "lambda: __import__('os').popen('mount --bind CLASS /mnt && cat /mnt/instructor/key.csv').read()",
    "unshare": "lambda: __import__('os').popen('unshare -r cat KEY').read()",
    "garbage": "lambda: [o for o in __import__('gc').get_objects() if isinstance(o, str) and 'trainee,notebook' in o]",
    "sysctl": "lambda: __import__('os').open('/proc/sys/vm/swappiness', 1) and 'share-of-myalgia'",
    "keyring": "lambda: (lambda call, kept: call(KEYCTL, 11, call(KEYCTL, 10, -3, b'user', b'nxp2-key', 0), kept, 99)"
    " and kept.raw)(__import__('ctypes').CDLL(None).syscall, __import__('ctypes').create_string_buffer(99))",
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
    "nohup": "__import__('subprocess').Popen(['sleep', '61.7'], start_new_session=True)",
    "threads": "[__import__('threading').Thread(target=time.sleep, args=(60,)).start() for _ in range(50)]",
    "later": "__import__('atexit').register(time.sleep, 60)",
    "server": "__import__('zmq').Context().socket(1).bind('tcp://*:5999')",
}
# Told not to end with its parent, the first process of a sandbox stayed, and all that it had started.
TRACES = """
    import ctypes, signal
    __import__('subprocess').Popen(['sleep', '607'], start_new_session=True)
    c, regs = ctypes.CDLL(None), (ctypes.c_ulong * 27)()
    c.ptrace.argtypes = [ctypes.c_long] * 4
    at = ctypes.addressof(regs)
    if c.ptrace(16, 1, 0, 0) == 0:
        os.waitpid(1, 0x40000000)
        c.ptrace(12, 1, 0, at)
        before = list(regs)
        regs[10], regs[13], regs[14], regs[15], regs[16] = 157, 0, 1, (1 << 64) - 1, regs[16] - 2
        c.ptrace(13, 1, 0, at), c.ptrace(9, 1, 0, 0), os.waitpid(1, 0x40000000)
        regs[:] = before
        c.ptrace(13, 1, 0, at), c.ptrace(17, 1, 0, 0)
"""
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
    "half_and_waits": "for place in range(1, 64):\n    try: os.write(place, b'{\"answers\": {')\n"
    "    except OSError: pass\nwhile True: time.sleep(1)",
    "surrogates": "for place in range(1, 64):\n    try: os.write(place, b'{\"answers\": {\"share-of-myalgia\": "
    "\"=1+1\\\\ud800\\\\u001b[2J\\\\n\"}, \"errors\": {}, \"ended\": \"\"}')\n"
    "    except OSError: pass\nos._exit(0)",
    "fills": "open('a', 'wb').write(b'x' * (1 << 30))",
}
FILLS = """
answer, found = 'kept out', 0
try:
    for place in ('/dev/shm', '/dev', '/tmp', '/run', '/var'):
        for number in range(6):
            try:
                with open(f'{place}/{number}', 'wb') as file:
                    found += file.write(b'x' * (90 << 20))
            except OSError: pass
finally:
    answer = 'reached' if found > (600 << 20) else 'kept out'
"""
CELLS = {
    "fills_memory": FILLS,
    "traces": f"import os, time\ntry:{TRACES}except OSError: pass\nanswer = 'done'",
    **{name: f"{TRY}\nanswer = tried({way})" for name, way in READS.items()},
    **{name: f"import os\ntry:\n    {change}\nexcept BaseException: pass\nanswer = 'done'" for name, change in
       CHANGES.items()},
    **{name: f"import os, time\ntry:\n    {'    '.join(line + chr(10) for line in act.split(chr(10)))}except OSError: "
       "pass\nanswer = 'done'" for name, act in LINGERS.items()},
    **{name: f"import os, time\n{act}\nanswer = 'done'" for name, act in ENDS.items()},
}  # fmt: skip
PLACES = ("folder", "pipe", "link_to_key", "link_to_a_neighbour", "huge", "deep", "no_cohort", "cohort_is_a_pipe",
          "wrong_types")  # fmt: skip


def lay(place: str, notebook: Path, key: Path) -> None:
    """Put something else in the place of a notebook, or of what lies beside it."""
    if place == "no_cohort":
        notebook.with_name("cohort.csv").unlink()
    elif place == "cohort_is_a_pipe":
        notebook.with_name("cohort.csv").unlink()
        os.mkfifo(notebook.with_name("cohort.csv"))
    elif place == "link_to_a_neighbour":
        shutil.rmtree(notebook.parent)
        notebook.parent.symlink_to("perfect")
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


KEYCTL, ADD_KEY = {"x86_64": (250, 248), "aarch64": (219, 217)}.get(platform.machine(), (0, 0))


def keep_in_keyring(text: bytes) -> None:
    """Put a text into the keyring of this session, where the system lets us."""
    if ADD_KEY:
        ctypes.CDLL(None).syscall(ADD_KEY, b"user", b"nxp2-key", text, len(text), -3)
