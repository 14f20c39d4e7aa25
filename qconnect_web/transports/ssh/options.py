"""What is said to OpenSSH, and what its words mean: argument lists, questions, failures. No I/O.

Options given on the command line come before those of any configuration file, and of several the first counts
(ssh_config(5)): what is fixed here cannot be changed by the site's options or by the user's ~/.ssh/config.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import IdentityMismatch, Unreachable, UpstreamFailed
from ..login_questions import Question

CONNECT_S = 10
ALIVE_S, ALIVE_COUNT = 5, 3
"""A node that is silent for 15 s is given up: its master ends, and the next request opens another."""
FIXED = (
    "ControlPersist=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "Tunnel=no",
    "PermitLocalCommand=no",
    "ClearAllForwardings=yes",  # those of configuration files; ours are asked of the running master
    "RequestTTY=no",
    "EscapeChar=none",
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    "NumberOfPasswordPrompts=3",
    f"ConnectTimeout={CONNECT_S}",
    "ConnectionAttempts=1",
    "TCPKeepAlive=yes",
    f"ServerAliveInterval={ALIVE_S}",
    f"ServerAliveCountMax={ALIVE_COUNT}",
    "StreamLocalBindUnlink=yes",
    "StreamLocalBindMask=0177",
    "LogLevel=INFO",  # at QUIET, a failure would have no words
)
REMOTE_SOCKET = re.compile(r"/[A-Za-z0-9._/-]{1,106}")
"""No `:`, `%`, `~`, `$` or backslash: each means something to ssh."""
QUIET_S, UNSURE_S, IDLE_S = 0.2, 2.0, 60.0
MAX_QUESTION = 1500
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")
YES_NO = re.compile(r"\(yes/no(?:/\[fingerprint\])?\)\? ?\Z|Please type 'yes'[^\n]*: ?\Z")
BUSY = re.compile(r"kex_exchange_identification|Connection (?:closed|reset) by|Exceeded MaxStartups")
OPEN_FAILED = re.compile(r"open failed: ([^\r\n]{1,200})")


@dataclass(frozen=True)
class SshSettings:
    """What the site says of ssh: the program, a configuration file (None: ssh's own), options as `Name=value`.

    `ask_unknown_hosts`: whether the user may accept a host key that is not known yet. `idle_s`: seconds after which a
    connection that nothing goes through is closed.
    """

    command: str
    config: Path | None
    options: tuple[str, ...]
    ask_unknown_hosts: bool
    idle_s: float


def master_argv(settings: SshSettings, node: str, control: Path, *, batch: bool) -> list[str]:
    """Connects to a node and serves requests at `control`; `batch`: fails where it would have to ask."""
    ask = settings.ask_unknown_hosts and not batch
    given = ("BatchMode=" + ("yes" if batch else "no"), "StrictHostKeyChecking=" + ("ask" if ask else "yes"))
    file = ["-F", str(settings.config)] if settings.config else []
    options = [part for option in (*given, *FIXED, *settings.options) for part in ("-o", option)]
    return [settings.command, *file, "-M", "-N", "-S", str(control), *options, "--", node]


def client_words(control: Path) -> list[str]:
    """Has an `ssh` to the same node go over a running master; where that has died, it connects by itself."""
    return ["-o", "ControlMaster=no", "-S", str(control)]


def request_argv(settings: SshSettings, node: str, control: Path, verb: str, *forward: str) -> list[str]:
    """Asks a running master for something (`check`, `forward`, `cancel`): no configuration has a say in that."""
    wanted = [part for item in forward for part in ("-L", item)]
    return [settings.command, "-F", "/dev/null", "-S", str(control), "-O", verb, *wanted, "--", node]


def hurry_argv(settings: SshSettings, node: str, control: Path) -> list[str]:
    """Runs a command that does nothing at the node, over the running master and by no other way."""
    only = ("ControlMaster=no", "BatchMode=yes", "ProxyCommand=false")
    options = [part for option in only for part in ("-o", option)]
    return [settings.command, "-F", "/dev/null", "-S", str(control), *options, "-nT", "--", node, "true"]


def master_pid(said: str) -> int | None:
    """The process that answers `check`: `Master running (pid=4711)`."""
    found = re.search(r"Master running \(pid=([0-9]+)\)", said)
    return int(found[1]) if found else None


# ---------------------------------------------------------------------- questions
def readable(text: str) -> str:
    """Text of a stranger without what would act on a terminal or turn a page's text around; lines end in \\n."""
    return UNPRINTABLE.sub("", ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip("\n")


def patience(heard: str) -> float:
    """For how many seconds to listen on; silent for so long, an unfinished line is a question."""
    if not is_question(heard):
        return IDLE_S
    return QUIET_S if readable(heard).rstrip()[-1] in ":?>)]" else UNSURE_S


def is_question(heard: str) -> bool:
    """Whether what was said ends in the middle of a line."""
    return not heard.endswith(("\n", "\r")) and bool(readable(heard.rpartition("\n")[2]).strip())


def question_of(node: str, heard: str) -> Question:
    """What was said since the last answer, as a question: its last lines explain what is asked for."""
    text = readable(heard)
    return Question(node=node, text=text.strip()[-MAX_QUESTION:], confirm=bool(YES_NO.search(text)))


# ---------------------------------------------------------------------- failures
KNOWN_HOSTS = "Ask your administrator to add it to the known hosts of this machine (/etc/ssh/ssh_known_hosts)"
WORDS: tuple[tuple[str, type[UpstreamFailed], str, str], ...] = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|[Hh]ost key for .* has changed|REVOKED HOST KEY",
        IdentityMismatch,
        "host-key-changed",
        "The host key of {node} is not the one that is known for it: another machine may answer in its place. Nothing "
        "was sent. Ask your administrator whether {node} was installed anew, and to correct the known host keys.",
    ),
    (
        r"host key is known for|Host key verification failed",
        Unreachable,
        "host-key-unknown",
        "The host key of {node} is not known on this machine, so nothing tells it from another. " + KNOWN_HOSTS + ", "
        "or run `ssh {node}` in a terminal once and compare the fingerprint.",
    ),
    (
        r"Permission denied|Too many authentication failures|[Aa]uthentication failed|No supported authentication",
        Unreachable,
        "login-refused",
        "{node} did not let you in by ssh ({own}). Check that `ssh {node}` works in a terminal on this machine, then "
        "try again.",
    ),
    (
        r"Could not resolve hostname",
        Unreachable,
        "unreachable",
        "ssh does not know where {node} is ({own}). Ask your administrator for its name or an entry in ssh's "
        "configuration.",
    ),
    (
        r"timed out|Timeout, server .* not responding",
        Unreachable,
        "timeout",
        f"{{node}} did not answer ssh within {CONNECT_S} s. It may be busy or cut off; this page tries again.",
    ),
    (
        r"Connection refused|No route to host|Network is unreachable",
        Unreachable,
        "unreachable",
        "{node} cannot be reached by ssh ({own}). Ask your administrator whether this machine may log in there.",
    ),
    (
        BUSY.pattern,
        Unreachable,
        "busy",
        "{node} hung up on ssh before the login ({own}). It may have too many logins at a time; this page tries again.",
    ),
)


def failure(node: str, said: str) -> UpstreamFailed:
    """Why ssh could not connect, in a sentence for the user; `said` is what it printed."""
    own = readable(said).strip().rpartition("\n")[2].strip()[-200:].rstrip(".") or "without a word"
    for pattern, kind, reason, words in WORDS:
        if re.search(pattern, said):
            return kind(words.format(node=node, own=own), reason=reason)
    return Unreachable(
        f"ssh to {node} ended ({own}). Check that `ssh {node}` works in a terminal on this machine, then try again.",
        reason="ssh-failed",
    )


def may_ask(error: UpstreamFailed, settings: SshSettings) -> bool:
    """Whether a login that failed without a word from the user could succeed with one."""
    return error.reason == "login-refused" or (error.reason == "host-key-unknown" and settings.ask_unknown_hosts)


def complaint(node: str, said: str) -> str | None:
    """Why the node did not let a forwarded connection through, if it said so lately."""
    found = OPEN_FAILED.findall(said)
    if not found:
        return None
    why = readable(found[-1])
    if "prohibited" in why:
        return (
            f"The ssh server of {node} does not allow forwarding ({why}). Ask your administrator for "
            "AllowTcpForwarding there."
        )
    if why == "connect failed: open failed":  # all that sshd says of a socket, gone or forbidden (9.2, serverloop.c)
        return (
            f"The ssh server of {node} could not connect to the session's display. Look at the session's log; if "
            "nothing is wrong there, ask your administrator for AllowStreamLocalForwarding on that node."
        )
    return f"Nobody answers at the session's display on {node} ({why}). Look at the session's log."
