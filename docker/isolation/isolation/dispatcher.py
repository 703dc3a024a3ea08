"""Gives each command of the server a worker: a part of the server's agent.

Commands wait as small shells, each at the end of a FIFO (its ticket). One that has a place becomes a process that sends the checkout;
its connection with the worker is a stunnel that this agent starts, because only the agent has the key.
"""

import contextlib
import errno
import json
import os
import resource
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from isolation import aws, paths, protocol, tls
from isolation.checkout import valid_name
from isolation.github import App, GithubError
from isolation.parts import write_event
from isolation.places import Places, Ticket

_LOOK_EVERY = 5.0
"""Seconds between two questions to ECS; the quota of a cluster is 20 a second."""
_LOG_EVERY = 60.0
_TURN = 1.0
"""Seconds after which the loop looks at its clocks."""
_TASKS_OF_A_CALL = 100


@dataclass(frozen=True)
class Configuration:
    """The variable WORKERS of the task definition."""

    cluster: str
    port: int
    wait: float
    """Seconds that a command waits for a worker."""
    server_service: str
    """The ECS service of this task."""
    users: frozenset[int]
    """Who may ask for a worker: the server's user, and root."""
    services: Mapping[str, str]
    """By role."""
    commands: Mapping[str, int]
    """By role, how many run on one worker."""

    @classmethod
    def parse(cls, text: str) -> "Configuration":
        """Read the document; raises KeyError, TypeError or ValueError for another one."""
        document = json.loads(text)
        return cls(
            cluster=document["cluster"],
            port=int(document["port"]),
            wait=60 * float(document["wait_minutes"]),
            server_service=document["server_service"],
            users=frozenset({0, int(document["server_user"].partition(":")[0])}),
            services={role: document[role]["service"] for role in paths.ROLES},
            commands={role: int(document[role]["commands"]) for role in paths.ROLES},
        )


class Fleet:
    """The tasks of services in one cluster.

    Args:
        cluster: its name.
        port: the workers' port.
        region: the region.
        session: returns the credentials of the server's task role.
    """

    def __init__(self, cluster: str, port: int, region: str, session: Callable[[], aws.Session]) -> None:
        self._cluster, self._port, self._region, self._session = cluster, port, region, session

    def workers(self, service: str) -> dict[str, str]:
        """The addresses of the service's tasks that run and are healthy, by the task's ID.

        Raises:
            aws.AwsError: ECS denies it, doesn't answer, or answers something else.
        """
        try:
            return {task["taskArn"].rpartition("/")[2]: address for task, address in self._tasks(service) if address}
        except (KeyError, TypeError, AttributeError) as problem:
            raise aws.AwsError(f"the answer of ecs can't be read: {problem!r}") from problem

    def is_alone(self, service: str) -> bool:
        """Whether one task of the service runs; False if ECS doesn't answer."""
        try:
            return len(list(self._arns(service))) == 1
        except (aws.AwsError, KeyError, TypeError, AttributeError):
            return False

    def _tasks(self, service: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        arns = list(self._arns(service))
        for start in range(0, len(arns), _TASKS_OF_A_CALL):
            asked = {"cluster": self._cluster, "tasks": arns[start : start + _TASKS_OF_A_CALL]}
            for task in self._call("DescribeTasks", asked)["tasks"]:
                yield task, self._address(task)

    def _arns(self, service: str) -> Iterator[str]:
        asked: dict[str, Any] = {"cluster": self._cluster, "serviceName": service, "desiredStatus": "RUNNING"}
        while True:
            answer = self._call("ListTasks", asked)
            yield from answer["taskArns"]
            if not answer.get("nextToken"):
                return
            asked["nextToken"] = answer["nextToken"]

    def _address(self, task: Mapping[str, Any]) -> str:
        """Empty for a task that takes no commands."""
        states = task.get("lastStatus"), task.get("desiredStatus"), task.get("healthStatus")
        if states != ("RUNNING", "RUNNING", "HEALTHY"):
            return ""
        details = {
            detail["name"]: detail["value"]
            for attachment in task.get("attachments", ())
            for detail in attachment.get("details", ())
        }
        found = details.get("privateIPv4Address")
        return f"{found}:{self._port}" if found else ""

    def _call(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        target = f"AmazonEC2ContainerServiceV20141113.{operation}"
        return aws.call(self._session(), "ecs", self._region, target, asked)


class Dispatcher:
    """Tickets, workers, and the connections between them."""

    def __init__(
        self,
        configuration: Configuration,
        fleet: Fleet,
        key: tls.Key,
        app: App | None,
        *,
        look_every: float = _LOOK_EVERY,
    ) -> None:
        self._configuration, self._fleet, self._key, self._app = configuration, fleet, key, app
        self._look_every = look_every
        self._places = Places(configuration.commands)
        # Each change of the places notifies: the loop grants them, and connections wait for a grant.
        self._changed = threading.Condition()
        self._tickets: dict[int, Ticket] = {}
        """By the descriptor of the ticket's FIFO."""
        self._logged: dict[str, tuple[float, object]] = {}
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            self._prepare()
        except OSError as problem:
            raise OSError(
                f"the volume {paths.WAKE.parent} can't be used, root has to own it and to write there: {problem}"
            ) from problem

    def _prepare(self) -> None:
        """Make what the shims look for; the FIFO to wake this agent comes last, because they wait for it."""
        for path in (paths.WAKE, paths.DISPATCHER_SOCKET):
            path.unlink(missing_ok=True)
        paths.TICKETS.mkdir(parents=True, exist_ok=True)
        paths.TICKETS.chmod(0o1777)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(paths.DISPATCHER_SOCKET))
        paths.DISPATCHER_SOCKET.chmod(0o666)
        self._listener.listen(256)
        os.mkfifo(paths.WAKE)
        paths.WAKE.chmod(0o666)
        # With a writer, so that it never ends.
        self._wake = os.open(paths.WAKE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def workers(self, role: str) -> dict[str, str]:
        """The addresses of the healthy workers by ID."""
        with self._changed:
            return dict(self._places.workers[role])

    def state(self, role: str) -> Mapping[str, int | float]:
        """Figures of one kind of workers."""
        with self._changed:
            return self._places.state(role)

    def look(self, stop: threading.Event) -> None:
        """Ask ECS for the workers until `stop` is set."""
        reported: dict[str, str] = {}
        while not stop.is_set():
            for role, service in self._configuration.services.items():
                try:
                    found, problem = self._fleet.workers(service), ""
                except aws.AwsError as error:
                    found, problem = None, str(error)
                if problem != reported.get(role, ""):
                    # Those that were known stay: a connection shows whether they are there.
                    write_event("workers-unknown", service=service, error=problem or "none any more")
                    reported[role] = problem
                with self._changed:
                    if found is not None and found != self._places.workers[role]:
                        self._places.ended[role] += len(self._places.workers[role].keys() - found.keys())
                        self._places.workers[role] = found
                        self._turn()
            stop.wait(self._look_every)

    def accept(self, stop: threading.Event) -> None:
        """Take the connections of commands that have a place until `stop` is set."""
        self._listener.settimeout(_TURN)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                threading.Thread(target=self._connected, args=(connection, stop), daemon=True).start()

    def run(self, stop: threading.Event) -> None:
        """Take tickets and grant places until `stop` is set."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._reader, select.POLLIN)
        for descriptor in self._tickets:
            poll.register(descriptor, 0)
        names = b""
        # Those that came before this agent.
        for path in sorted(paths.TICKETS.iterdir()):
            self._take(path.name, "", poll)
        while not stop.is_set():
            for descriptor, _ in poll.poll(1000 * _TURN):
                if descriptor == self._wake:
                    *lines, names = (names + os.read(self._wake, 1 << 16)).split(b"\n")
                    for line in lines:
                        name, _, directory = line.decode(errors="replace").partition(" ")
                        self._take(name, directory, poll)
                elif descriptor == self._reader:
                    os.read(self._reader, 1 << 16)
                else:
                    # Nobody reads the ticket any more.
                    self._drop(descriptor, poll)
            with self._changed:
                self._grant()
                for descriptor, ticket in list(self._tickets.items()):
                    if not ticket.granted and time.monotonic() - ticket.arrived > self._configuration.wait:
                        self._say(descriptor, f"no {self._why_not(ticket.role)}")
                        self._drop(descriptor, poll)
                self._log()

    def _take(self, name: str, directory: str, poll: select.poll) -> None:
        role, path = name.partition(".")[0], paths.TICKETS / name
        if role not in paths.ROLES or "/" in name:
            return
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # It was taken from the directory's listing.
        except OSError as problem:
            if problem.errno != errno.ENXIO:
                write_event("ticket-unreadable", ticket=name, error=str(problem))
            # Its reader comes in a moment, or has gone: one that is old is removed.
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > 60:
                    path.unlink()
            return
        path.unlink(missing_ok=True)
        poll.register(descriptor, 0)
        with self._changed:
            ticket = Ticket(name, role, _checkout(directory), time.monotonic())
            self._tickets[descriptor] = ticket
            self._places.add(ticket)
            self._grant()
            if not ticket.granted:
                self._say(descriptor, f"say {self._why_waiting(role)}")

    def _drop(self, descriptor: int, poll: select.poll) -> None:
        with self._changed:
            poll.unregister(descriptor)
            os.close(descriptor)
            self._places.remove(self._tickets.pop(descriptor))
            self._changed.notify_all()

    def _grant(self) -> None:
        for role in paths.ROLES:
            for ticket in self._places.grant(role):
                for descriptor, known in self._tickets.items():
                    # One that waits for another worker has had its `go`; it ignores this one.
                    if known is ticket:
                        self._say(descriptor, "go")
        self._changed.notify_all()

    def _say(self, descriptor: int, line: str) -> None:
        with contextlib.suppress(OSError):  # its reader has gone, which the next turn sees
            os.write(descriptor, f"{line}\n".encode())

    def _turn(self) -> None:
        """Wake the loop."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"x")

    def _why_waiting(self, role: str) -> str:
        state = self._places.state(role)
        if not state["healthy"]:
            return f"waits for a healthy {role} worker: there is none now, and ECS starts one"
        return (
            f"waits for a free place on a {role} worker: {state['busy']} of {state['slots']} are taken, and "
            f"{state['waiting'] - 1} commands were here before"
        )

    def _why_not(self, role: str) -> str:
        state, minutes = self._places.state(role), self._configuration.wait / 60
        service = self._configuration.services[role]
        if not state["healthy"]:
            return (
                f"no {role} worker was healthy within {minutes:g} minutes, so nothing ran: the events of the ECS service {service} "
                f"and the log streams {role}/ have the reason"
            )
        return (
            f"no place on a {role} worker became free within {minutes:g} minutes, so nothing ran: {state['healthy']} workers are healthy, "
            f"{state['busy']} of {state['slots']} places are taken. Repeat the command later, or raise {role}Workers or workerWaitMinutes"
        )

    def _log(self) -> None:
        """A line for each role every minute, and when the number of workers changes or commands begin or end to wait."""
        for role in paths.ROLES:
            state = self._places.state(role)
            at, known = self._logged.get(role, (0.0, None))
            seen = state["healthy"], state["waiting"] > 0
            if seen != known or time.monotonic() - at >= _LOG_EVERY:
                self._logged[role] = time.monotonic(), seen
                ended = self._places.ended.pop(role, 0)
                print(json.dumps({"workers": role, **state, "ended": ended}), flush=True)

    def _connected(self, connection: socket.socket, stop: threading.Event) -> None:
        """One connection: find the worker, and give the connection to a stunnel."""
        with connection:
            try:
                worker, address = self._introduced(connection, stop)
            except (OSError, KeyError, TypeError, ValueError) as problem:
                with contextlib.suppress(OSError):
                    _answer(connection, error=f"the agent can't read the request: {problem!r}")
                return
            if not worker:
                return
            try:
                process = tls.client(self._key, address, connection)
            except OSError as problem:
                write_event(
                    "worker-unreachable", worker=worker, address=address, error=f"stunnel can't be started: {problem}"
                )
                return
        _, printed = process.communicate()
        if process.returncode or printed:
            error = printed.decode(errors="replace").strip()[-500:] or f"stunnel ended with {process.returncode}"
            write_event("worker-unreachable", worker=worker, address=address, error=error)

    def _introduced(self, connection: socket.socket, stop: threading.Event) -> tuple[str, str]:
        """The worker and its address; empty if there is none, which the command then knows."""
        connection.settimeout(30)
        # Read first: an answer to what wasn't read would be lost with the connection.
        request = protocol.line(connection)
        _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid not in self._configuration.users:
            _answer(
                connection,
                error=f"the user {uid} may not ask for a worker: the task definition names another server_user",
            )
            return "", ""
        with self._changed:
            ticket = next((each for each in self._tickets.values() if each.name == request["ticket"]), None)
            if not ticket or ticket.role != request["role"] or not valid_name(request["checkout"]):
                _answer(
                    connection, error="this command has no place on a worker: start it through the programs in shims"
                )
                return "", ""
            ticket.checkout = request["checkout"]
            # It tells all that it has tried; the last one is news.
            if ticket.worker and ticket.worker in request["tried"]:
                self._places.refused(ticket, ticket.worker)
                self._turn()
            while not (address := self._places.workers[ticket.role].get(ticket.worker or "", "")):
                if ticket.worker:
                    self._places.refused(ticket, ticket.worker)
                failed = ticket.failed_at or ticket.arrived
                if stop.is_set() or time.monotonic() - failed > self._configuration.wait:
                    _answer(connection, error=self._why_not(ticket.role))
                    return "", ""
                self._changed.wait(_TURN)
            worker = str(ticket.worker)
        git = self._token(connection) if request["git"] else None
        _answer(connection, worker=worker, git=git)
        connection.settimeout(None)
        return worker, address

    def _token(self, connection: socket.socket) -> dict[str, str] | None:
        """A token that reads modules. Without one, public modules can be downloaded still."""
        if self._app is None:
            return None
        try:
            return {"token": self._app.token(), "host": self._app.host}
        except GithubError as problem:
            write_event("module-token-missing", error=str(problem))
            _answer(connection, say=f"there is no token for private modules: {problem}")
            return None


def _checkout(directory: str) -> str:
    """The checkout that a directory is in; empty if it is in none, which the command itself reports."""
    name = "/".join(directory.partition("/repos/")[2].split("/")[:4])
    return name if valid_name(name) else ""


def _answer(connection: socket.socket, **answer: Any) -> None:
    connection.sendall(json.dumps(answer).encode() + b"\n")
