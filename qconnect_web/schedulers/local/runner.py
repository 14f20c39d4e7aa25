"""Runs one job of the `local` scheduler: waits for its turn, starts it, ends it; a process of its own per job.

Run as `python -IS runner.py <job folder>`: little more than the standard library, detached from the server, so that a
job neither ends nor stalls when Jupyter does. It works inside of the job's folder, which is the job's state:

    job.json      what was asked                    script, nodes   what is run, and PBS_NODEFILE
    runner.lock   held (flock) while a runner lives  runner.json     which process that is, `pid:start time`
    started.json  when, session, boot               ended.json      exit status (null: never started), when
    held, cancelled   wishes of the user, empty files

Whatever is in a folder that somebody else could have made or changed is not run.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

if __name__ == "__main__":  # run bare: the package is where this file is, and comes after the standard library
    sys.path.append(str(Path(__file__).parents[3]))

from qconnect_web.errors import Forbidden
from qconnect_web.private_files import check_file, check_private, open_folder
from qconnect_web.processes import boot_id, end_session, identity

TURN_STEP_S = 0.1
"""Seconds between two looks at whether it is this job's turn, for the next in line; the others look more seldom."""
MAX_TURN_STEP_S = 2.0
STARTING_S = 5.0
"""Seconds that a runner may need to start: until then a job keeps its place in the queue without one."""
LOOK_S = 10.0
"""Seconds between two looks at the clock while the script runs; all else wakes the runner at once."""
CANCEL_GRACE_S = 0.1
"""Seconds between SIGTERM and SIGKILL when a job is cancelled, as TORQUE's mom leaves them (torque.md, Ends)."""
WALLTIME_GRACE_S = 5.0
"""The same at the end of the walltime."""
CANCELLED, KILLED, OVER_WALLTIME = 271, 265, -11
"""Exit statuses as TORQUE reports them: 256 + SIGTERM, 256 + SIGKILL, JOB_EXEC_OVERLIMIT_WT."""
LOG_LIMIT = 1 << 20
LEVELS = ("..", "../..", "../../..")
"""What a job's folder lies in: `<state>/<host>/jobs`."""
GATE = 'read -r _ && exec /bin/bash -p "$0" </dev/null'
"""Starts the script only when told to, so that no script ever runs whose session is not written down."""


def write_private(path: Path, text: str) -> None:
    """Writes a 0600 file."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Writes a file by write and rename, so that a reader sees all of it or nothing."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    write_private(beside, json.dumps(data))
    beside.rename(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file, or None when there is none, or the machine went down while it was written."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def now() -> float:
    """Seconds of a clock that goes on while the machine sleeps, as a walltime does."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def lock(path: Path) -> IO[bytes]:
    """The file, locked as soon as whoever has it lets go; closing it lets go. Held only for moments."""
    file = _open_lock(path)
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def try_lock(path: Path, *, shared: bool = False) -> IO[bytes] | None:
    """The locked file, or None when somebody else has it."""
    file = _open_lock(path)
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _open_lock(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "rb+")


def runner_lives(folder: Path) -> bool:
    """Whether a runner holds this job; looks with a shared lock, so that those who look do not see each other."""
    with suppress(FileNotFoundError):
        mine = try_lock(folder / "runner.lock", shared=True)
        if mine is None:
            return True
        mine.close()
    return False


def waits(folder: Path) -> bool:
    """Whether this job stands in the queue: its runner lives, or has not had the time to start."""
    if (folder / "held").exists() or (folder / "cancelled").exists():
        return False
    with suppress(FileNotFoundError):
        return runner_lives(folder) or time.time() - folder.stat().st_mtime < STARTING_S
    return False


def places_taken(jobs: Path, number: int) -> int:
    """How many jobs of ours run, or wait and came before this number."""
    taken = 0
    for other in jobs.iterdir():
        if not other.name.isdigit() or int(other.name) == number:
            continue
        with suppress(FileNotFoundError):  # it may be put away meanwhile
            if other.lstat().st_uid != os.geteuid():
                continue
            if (other / "started.json").exists():
                taken += runner_lives(other)
            elif int(other.name) < number:
                taken += waits(other)
    return taken


def enter(folder: Path) -> None:
    """Makes a job's folder the working directory, whatever its path comes to mean.

    Raises Forbidden when the folder, one that it lies in, or what is to be run is not ours alone.
    """
    with open_folder(folder) as found:
        os.fchdir(found)
    for level in LEVELS:
        check_private(Path(level).stat(), folder / level)
    for name in ("job.json", "script"):
        check_file(Path(name).lstat(), folder / name)


def finish(folder: Path, exit_status: int | None) -> None:
    """Writes down how the job ended and puts its folder away."""
    write_json(folder / "ended.json", {"exit_status": exit_status, "time": time.time()})
    number, done = folder.resolve().name, folder / "../../done"
    done.mkdir(mode=0o700, exist_ok=True)
    (folder / ".." / number).rename(done / number)


class Runner:
    """One job from its place in the queue to its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.job = read_json(folder / "job.json") or {}
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> None:
        """Waits, runs, ends."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        # Each only wakes the waits below. A handler also undoes what the shell that started this process set to
        # "ignored": the script would inherit that, and Ctrl-C in a terminal of the job would do nothing.
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, lambda *_: None)
        while ahead := self.take_turn():
            if (self.folder / "cancelled").exists():
                return finish(self.folder, None)
            self.wait(min(MAX_TURN_STEP_S, TURN_STEP_S * ahead))
        exit_status = self.supervise(self.start())
        self.output.join(1)  # somebody who left the session may hold the pipe for ever
        return finish(self.folder, exit_status)

    def wait(self, seconds: float) -> None:
        """Waits for a signal, at most `seconds`."""
        select.select([self._wake_read], [], [], max(0.0, seconds))
        with suppress(BlockingIOError):
            os.read(self._wake_read, 512)

    def take_turn(self) -> int:
        """Takes a slot (0), or tells how many must end before; first come, first served."""
        if (self.folder / "held").exists() or (self.folder / "cancelled").exists():
            return 1
        with lock(self.folder / "../../slots.lock"):
            ahead = 1 - int(self.job["max_running"])
            ahead += places_taken(self.folder / "..", int(self.folder.resolve().name))
            if ahead <= 0:
                write_json(self.folder / "started.json", {"time": time.time(), "session": None, "boot": boot_id()})
            return max(0, ahead)

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the script in a session of its own, with the environment that TORQUE gives a job.

        It goes by this process's working directory, which is the folder that was looked at, and no other of its name.
        """
        process = subprocess.Popen(
            ["/bin/bash", "-p", "-c", GATE, f"/proc/{os.getpid()}/cwd/script"],
            env={**os.environ, **self.job["environment"]},
            cwd=os.environ.get("HOME", "/"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started = {"time": time.time(), "session": identity(process.pid), "boot": boot_id()}
        write_json(self.folder / "started.json", started)
        self.output = threading.Thread(target=self.keep_output, args=(process.stdout,), daemon=True)
        self.output.start()
        with suppress(BrokenPipeError):
            os.write(process.stdin.fileno(), b"go\n")  # type: ignore[union-attr]  # stdin=PIPE
        process.stdin.close()  # type: ignore[union-attr]  # as above
        return process

    def keep_output(self, output: IO[bytes]) -> None:
        """Keeps the first MiB that the script prints in the session's folder; reads on so that it never blocks."""
        left, log = LOG_LIMIT, None
        with suppress(OSError, Forbidden):  # neither a folder that is gone nor a full disk may stop the job
            log = self.open_log(Path(self.job["output"]))
        while data := os.read(output.fileno(), 65536):
            with suppress(OSError):
                if log is not None and left:
                    os.write(log, data[:left])
            left = max(0, left - len(data))

    def open_log(self, path: Path) -> int:
        """The session's log, in the session's folder and no other of its name; open as long as this process lives."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open_folder(path.parent) as folder:
            return os.open(path.name, flags, 0o600, dir_fd=folder)

    def supervise(self, process: subprocess.Popen[bytes]) -> int:
        """Waits for the end of the script, of its walltime, or for its cancelling; returns its exit status.

        The script is reaped last, so that its number is still its own when the rest of its session is ended: what it
        left there goes with it, as on TORQUE.
        """
        until = now() + float(self.job["walltime_s"])
        why, grace = None, CANCEL_GRACE_S
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if (self.folder / "cancelled").exists():
                why = CANCELLED
                break
            if now() >= until:
                why, grace = OVER_WALLTIME, WALLTIME_GRACE_S
                break
            self.wait(min(LOOK_S, until - now()))
        end_session(process.pid, grace)
        with suppress(subprocess.TimeoutExpired):  # not even SIGKILL ends what hangs in the kernel
            status = process.wait(5)
            return why if why is not None else status if status >= 0 else 256 - status
        return KILLED if why is None else why


def main() -> None:
    """Runs the job in the folder named on the command line, unless somebody else does."""
    os.umask(0o077)
    enter(Path(sys.argv[1]))
    folder = Path()
    for _ in range(20):
        if mine := try_lock(folder / "runner.lock"):
            break
        time.sleep(0.05)  # somebody may only be looking (runner_lives)
    else:
        return
    with mine:
        if read_json(folder / "started.json") is None:
            write_json(folder / "runner.json", {"process": identity(os.getpid())})
            Runner(folder).run()


if __name__ == "__main__":
    main()
