"""The administrator's commands: pbsnodes and a little of qmgr."""

from __future__ import annotations

import os
import time

from tests.cluster.torque import engine, listing
from tests.cluster.torque.said import Reply, Request
from tests.cluster.torque.state import Server


def pbsnodes(server: Server, user: str, request: Request, found: Reply) -> None:
    options = {name for name, _ in request["options"]}
    with server.lock:
        states = engine.nodes()
        names = request["operands"] or list(states)
        for name in names:
            if name not in states:
                found.rc, found.err = 1, "pbsnodes: Unknown node  MSG=cannot locate specified node\n"
                return
        if options & {"-o", "-c"}:
            change = server.offline.update if "-o" in options else server.offline.difference_update
            if user == "root":
                change(names)
            return
        known = {name: _node(server, name, states[name]) for name in names}
    if "-l" in options:
        known = {name: node for name, node in known.items() if node["state"] in ("down", "offline")}
        found.out = "".join(f"{name:<20} {node['state']}\n" for name, node in known.items())
    elif "-x" in options:
        found.out = f"<Data>{''.join(listing.node_xml(*pair) for pair in known.items())}</Data>\n"
    else:
        found.out = "".join(listing.node_text(*pair) for pair in known.items())


def _node(server: Server, name: str, state: str) -> dict[str, str]:
    taken = server.slots(name)
    shown = "down" if state.startswith("down") or state.endswith("*") else "free"
    if name in server.offline:
        shown = "offline"
    elif shown == "free" and len(taken) >= 4:
        shown = "job-exclusive"
    jobs = ",".join(listing.ranges([n for n in taken if taken[n] == job], job) for job in dict.fromkeys(taken.values()))
    uname = os.uname()
    status = (
        f"opsys=linux,uname={uname.sysname} {name} {uname.release} {uname.version} {uname.machine},sessions=1,"
        "nsessions=1,nusers=1,idletime=1,totmem=24684096kb,availmem=20000000kb,physmem=24684096kb,ncpus=2,loadave=1.00,"
        f"gres=,netload=1,state={shown},varattr= ,cpuclock=Fixed,macaddr=02:00:00:00:00:01,version=6.1.3.h5,"
        f"rectime={int(time.time())},jobs="
    )
    first = {"state": shown, "power_state": "Running", "np": "4", "ntype": "cluster"}
    return {
        **first,
        **({"jobs": jobs} if jobs else {}),
        "status": status,
        "mom_service_port": "15002",
        "mom_manager_port": "15003",
    }


def qmgr(server: Server, user: str, request: Request, found: Reply) -> None:
    """`qmgr -c "set server NAME = VALUE"` and `"set queue QUEUE NAME = VALUE"`, for root."""
    words = dict(request["options"])["-c"].split()
    if user != "root":
        found.error(159, "Unauthorized Request")
    elif words[:2] == ["set", "server"]:
        server.settings[words[2]] = words[4]
    elif words[:2] == ["set", "queue"]:
        server.queues[words[2]][words[3]] = words[5]
