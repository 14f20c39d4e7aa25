"""What a login asks reaches the user, and the answer reaches ssh and nothing else: on real ssh servers."""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qconnect_web.errors import IdentityMismatch, Unreachable
from qconnect_web.transports.login_questions import Answer, Question, Questions
from qconnect_web.transports.ssh import master
from qconnect_web.transports.ssh.masters import Masters
from tests.support.deadline import aeventually
from tests.transports.ssh.sshd import SshNodes, new_key, own_mounts
from tests.transports.ssh.test_ssh_masters import LOG, masters, run, ssh_processes

SECRET = "korrekt Pferd-Batterie ☃ 4711"
USER = pwd.getpwuid(os.geteuid()).pw_name
needs_shadow = pytest.mark.skipif(own_mounts() is not None, reason=str(own_mounts()))


class Person:
    """Somebody who answers in turn; what is asked is kept."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.asked: list[Question] = []

    async def ask(self, question: Question) -> Answer | None:
        self.asked.append(question)
        text = self.answers.pop(0)
        return None if text is None else Answer(text)


def log_in(nodes: SshNodes, person: Person, **changed: object) -> Exception | None:
    """Opens the way to node1; why that failed, or None."""
    outcome: list[Exception | None] = [None]

    async def work() -> None:
        async with masters(nodes, person, **changed) as found:
            try:
                await found.forward("node1", "/tmp/x.sock")
                await aeventually(lambda: len(ssh_processes()) == 1, 10, "one ssh alone")
            except Unreachable as error:
                outcome[0] = error
        assert ssh_processes() == []

    run(work)
    return outcome[0]


@contextmanager
def watched(secret: str, folder: Path) -> Iterator[list[str]]:
    """Looks at the arguments and environments of all processes while something goes on, and at all files after it."""
    found: list[str] = []
    looks = [0]
    over = threading.Event()
    needle = secret.encode()

    def sample() -> None:
        while not over.is_set():
            looks[0] += 1
            for entry in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        content = (entry / name).read_bytes()
                    except OSError:
                        continue
                    if needle in content:
                        found.append(f"{entry.name} {name}")

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield found
    finally:
        over.set()
        sampler.join(10)
    assert looks[0] > 2
    for path in [*folder.rglob("*"), *Path("/tmp").glob("qcs-*/*")]:
        if path.is_file() and needle in path.read_bytes():
            found.append(str(path))


@pytest.fixture
def shadow(tmp_path: Path) -> dict[Path, str]:
    """An /etc/shadow in which this user has the secret as a password."""
    argv = ["openssl", "passwd", "-6", "-stdin"]
    crypted = subprocess.run(argv, input=SECRET, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    path = tmp_path / "shadow"
    path.write_text(f"{USER}:{crypted}:19000:0:99999:7:::\n")
    return {path: "/etc/shadow"}


PASSWORDS = ("PubkeyAuthentication no", "PasswordAuthentication yes", "KbdInteractiveAuthentication no")


@needs_shadow
def test_a_password_is_asked_for_and_found_nowhere_afterwards(
    nodes: SshNodes, shadow: dict[Path, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = nodes.add("node1", *PASSWORDS, "LogLevel DEBUG3", binds=shadow)
    person = Person(SECRET)
    with watched(SECRET, tmp_path) as leaks:
        assert log_in(nodes, person) is None
    assert [question.text for question in person.asked] == [f"{USER}@127.0.0.1's password:"]
    assert [question.confirm for question in person.asked] == [False]
    assert server.logins() == 1
    assert leaks == []
    assert SECRET not in caplog.text


def test_the_watch_sees_what_it_looks_for(tmp_path: Path) -> None:
    with watched("canary-in-argv", tmp_path) as leaks:
        subprocess.run(["sleep", "0.5", "0", "0.1"], env={"X": "canary-in-argv"}, check=True, timeout=20)
    assert leaks
    (tmp_path / "file").write_text("xx canary-in-file xx")
    with watched("canary-in-file", tmp_path) as leaks:
        subprocess.run(["sleep", "0.3"], check=True, timeout=20)
    assert leaks == [str(tmp_path / "file")]


@needs_shadow
def test_a_wrong_password_is_asked_for_again_with_sshs_own_words(nodes: SshNodes, shadow: dict[Path, str]) -> None:
    nodes.add("node1", *PASSWORDS, binds=shadow)
    person = Person("wrong", SECRET)
    assert log_in(nodes, person) is None
    assert person.asked[1].text.splitlines()[0] == "Permission denied, please try again."


@needs_shadow
def test_three_wrong_passwords_end_it_in_words(nodes: SshNodes, shadow: dict[Path, str]) -> None:
    nodes.add("node1", *PASSWORDS, binds=shadow)
    person = Person("wrong", "wrong", "wrong")
    error = log_in(nodes, person)
    assert isinstance(error, Unreachable)
    assert error.reason == "login-refused"
    assert "wrong" not in error.message
    assert len(person.asked) == 3


@pytest.fixture
def one_time(tmp_path: Path) -> dict[Path, str]:
    """PAM that lets in whoever types the code of the moment, once."""
    code, check, pam = tmp_path / "code", tmp_path / "check", tmp_path / "pam"
    code.write_text("424242")
    check.write_text(f'#!/bin/sh\n[ "$(tr -d "\\0")" = "$(cat {code})" ] && rm {code}\n')
    check.chmod(0o755)
    pam.write_text(
        f"auth required pam_exec.so expose_authtok quiet {check}\n"
        "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
    )
    return {pam: "/etc/pam.d/sshd"}


@needs_shadow
def test_a_one_time_code_is_asked_for_by_keyboard_interactive(
    nodes: SshNodes, one_time: dict[Path, str], tmp_path: Path
) -> None:
    options = ("UsePAM yes", "PubkeyAuthentication no", "PasswordAuthentication no", "KbdInteractiveAuthentication yes")
    server = nodes.add("node1", *options, binds=one_time)
    person = Person("424242")
    with watched("424242", tmp_path) as leaks:
        assert log_in(nodes, person) is None
    assert "assword:" in person.asked[0].text  # pam_exec's own word for any secret
    assert "keyboard-interactive" in server.log
    assert [leak for leak in leaks if "code" not in leak] == []


def test_the_passphrase_of_a_key_is_asked_for(nodes: SshNodes, tmp_path: Path) -> None:
    for path in (nodes.key, nodes.key.with_suffix(".pub")):
        path.unlink()
    new_key(nodes.key, passphrase=SECRET)
    (nodes.root / "authorized").write_text(nodes.key.with_suffix(".pub").read_text())
    server = nodes.add("node1", "PasswordAuthentication no", "KbdInteractiveAuthentication no")
    person = Person(SECRET)
    with watched(SECRET, tmp_path) as leaks:
        assert log_in(nodes, person) is None
    assert person.asked[0].text.startswith("Enter passphrase for key")
    assert server.logins() == 1
    assert leaks == []


def test_an_unknown_host_key_is_shown_with_its_fingerprint_where_the_site_lets_it(nodes: SshNodes) -> None:
    server = nodes.add("node1", known=False)
    person = Person("yes")
    assert log_in(nodes, person, ask_unknown_hosts=True) is None
    assert len(person.asked) == 1
    assert person.asked[0].confirm
    assert server.fingerprint() in person.asked[0].text
    assert server.known().split()[2] in nodes.known_hosts.read_text()


def test_no_to_a_host_key_lets_nobody_in_and_remembers_nothing(nodes: SshNodes) -> None:
    server = nodes.add("node1", known=False)
    error = log_in(nodes, Person("no"), ask_unknown_hosts=True)
    assert isinstance(error, Unreachable)
    assert error.reason == "host-key-unknown"
    assert server.logins() == 0
    assert nodes.known_hosts.read_text() == ""


def test_the_key_of_another_is_not_to_be_accepted_by_an_answer(nodes: SshNodes) -> None:
    server = nodes.add("node1")
    server.stop()
    for path in nodes.root.glob("node1.host*"):
        path.unlink()
    server.start()

    async def work() -> None:
        async with masters(nodes, Person(), ask_unknown_hosts=True) as found:
            with pytest.raises(IdentityMismatch):
                await found.forward("node1", "/tmp/x.sock")

    run(work)


@needs_shadow
def test_who_does_not_answer_is_not_asked_again_before_wanting_it(nodes: SshNodes, shadow: dict[Path, str]) -> None:
    server = nodes.add("node1", *PASSWORDS, binds=shadow)
    person = Person(None, SECRET)

    async def work() -> None:
        async with masters(nodes, person) as found:
            for _ in range(3):
                with pytest.raises(Unreachable, match="was not answered"):
                    await found.forward("node1", "/tmp/x.sock")
            assert len(person.asked) == 1
            assert ssh_processes() == []
            found.retry("node1")
            await found.forward("node1", "/tmp/x.sock")

    run(work)
    assert server.logins() == 1


@needs_shadow
def test_a_question_does_not_wait_for_ever(
    nodes: SshNodes, shadow: dict[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes.add("node1", *PASSWORDS, binds=shadow)
    monkeypatch.setattr(master, "DIALOGUE_S", 5)

    async def work() -> None:
        questions = Questions()
        found = Masters(nodes.settings(), questions, LOG)
        asking = asyncio.create_task(found.forward("node1", "/tmp/x.sock"))
        question = await aeventually(lambda: questions.pending("node1"), 10, "a question")
        with pytest.raises(Unreachable, match="was not answered"):
            await asyncio.wait_for(asking, 10)
        assert questions.pending("node1") is None
        assert not questions.answer(question.key, Answer(SECRET))
        assert ssh_processes() == []
        await found.close()

    run(work)


@needs_shadow
def test_an_answer_that_comes_when_the_node_has_hung_up_counts_as_none(
    nodes: SshNodes, shadow: dict[Path, str]
) -> None:
    class Slow(Person):
        async def ask(self, question: Question) -> Answer | None:
            await asyncio.sleep(3)
            return await super().ask(question)

    nodes.add("node1", *PASSWORDS, "LoginGraceTime 1", binds=shadow)
    error = log_in(nodes, Slow(SECRET))
    assert isinstance(error, Unreachable)
    assert error.reason == "not-answered"


@needs_shadow
def test_all_who_wait_are_served_by_one_answer_and_one_leaving_takes_nothing_from_the_others(
    nodes: SshNodes, shadow: dict[Path, str]
) -> None:
    server = nodes.add("node1", *PASSWORDS, binds=shadow)

    async def work() -> None:
        questions = Questions()
        found = Masters(nodes.settings(), questions, LOG)
        waiting = [asyncio.create_task(found.forward("node1", f"/tmp/x{number}.sock")) for number in range(3)]
        question = await aeventually(lambda: questions.pending("node1"), 10, "a question")
        waiting.pop(0).cancel()
        await asyncio.sleep(0)
        assert questions.pending("node1") == question
        assert questions.pending("node2") is None
        assert not questions.answer("another", Answer("x"))
        assert questions.answer(question.key, Answer(SECRET))
        assert not questions.answer(question.key, Answer(SECRET))
        await asyncio.gather(*waiting)
        assert questions.pending("node1") is None
        await found.close()

    run(work)
    assert server.logins() == 1


@needs_shadow
def test_a_banner_that_looks_like_a_question_is_not_taken_for_one(nodes: SshNodes, shadow: dict[Path, str]) -> None:
    banner = nodes.root / "banner"
    banner.write_text("Authorized use only:\nReally?\n\x1b[31mroot's password:\x1b[0m\n")
    nodes.add("node1", *PASSWORDS, f"Banner {banner}", binds=shadow)
    person = Person(SECRET)
    assert log_in(nodes, person) is None
    assert person.asked[0].text.splitlines()[-1] == f"{USER}@127.0.0.1's password:"
    assert "\x1b" not in person.asked[0].text
    keyed = nodes.add("node2", f"Banner {banner}")
    run(lambda: _reaches(nodes, "node2"))
    assert keyed.logins() == 1


async def _reaches(nodes: SshNodes, node: str) -> None:
    async with masters(nodes) as found:
        await found.forward(node, "/tmp/x.sock")
