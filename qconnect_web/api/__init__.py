"""REST: JSON in, SessionManager, JSON out."""

from ..http.base import JOB
from .base import ApiHandler
from .catalogue import AppsHandler, IconHandler
from .installation import DoctorHandler, NowhereHandler, OpenApiHandler, ProbeHandler, QueuesHandler
from .sessions import LogHandler, ScriptHandler, SessionHandler, SessionsHandler, StopHandler

HANDLERS: list[tuple[str, type[ApiHandler]]] = [
    (r"api/apps", AppsHandler),
    (r"api/apps/([A-Za-z0-9._-]{1,64})/icon", IconHandler),
    (r"api/queues", QueuesHandler),
    (r"api/doctor", DoctorHandler),
    (r"api/doctor/probe", ProbeHandler),
    (r"api/sessions", SessionsHandler),
    (rf"api/sessions/{JOB}", SessionHandler),
    (rf"api/sessions/{JOB}/stop", StopHandler),
    (rf"api/sessions/{JOB}/log", LogHandler),
    (rf"api/sessions/{JOB}/script", ScriptHandler),
    (r"api/openapi\.yaml", OpenApiHandler),
    (r"api/.+", NowhereHandler),
]
