"""What a session has, and could leave, on a node: ports, processes, X locks, sockets, runtime folders."""

from __future__ import annotations

from tests.cluster.files import USERS
from tests.cluster.node import Node
from tests.support.deadline import eventually


def evict(user: str, node: Node) -> None:
    """Removes what an earlier test that failed may have left of the user's."""
    node.run(f"pkill -KILL -u {user}; find /tmp /dev/shm -xdev -uid {USERS[user]} -delete 2>/dev/null", check=False)
    eventually(lambda: not node.processes(user), 5, f"the end of {user}'s processes")


def left_on(node: Node, user: str) -> list[str]:
    """All that the user has on the node outside of the home, but for ssh connections into it."""
    processes = [command for command in node.processes(user).values() if not command.startswith("sshd: ")]
    uid = USERS[user]
    command = f"find /tmp /run /dev/shm /var/tmp -xdev -uid {uid} 2>/dev/null"
    files = node.run(command, check=False).stdout.splitlines()
    return [*processes, *files]


def listening(node: Node, user: str) -> set[int]:
    """The ports, of TCP and UDP, at which the user's programs wait for the network on a node."""
    lines = node.run(["ss", "-Htulne"]).stdout.splitlines()
    return {int(line.split()[4].rpartition(":")[2]) for line in lines if f"uid:{USERS[user]} " in line}
