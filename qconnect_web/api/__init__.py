"""REST: JSON in, SessionManager, JSON out."""

from ..http.base import JOB
from .base import ApiHandler
from .catalogue import AppsHandler, IconHandler
from .installation import DoctorHandler, NowhereHandler, OpenApiHandler, ProbeHandler, QueuesHandler
from .launch import FormHandler, PreviewHandler, SavedHandler, SavedOneHandler
from .sessions import LogHandler, ScriptHandler, SessionHandler, SessionsHandler, StopHandler

APP = r"([A-Za-z0-9._-]{1,64})"
"""An app's name in an address, or the id of settings that were saved of it."""
HANDLERS: list[tuple[str, type[ApiHandler]]] = [
    (r"api/apps", AppsHandler),
    (rf"api/apps/{APP}/icon", IconHandler),
    (rf"api/apps/{APP}/form", FormHandler),
    (rf"api/apps/{APP}/script", PreviewHandler),
    (rf"api/apps/{APP}/saved", SavedHandler),
    (rf"api/apps/{APP}/saved/{APP}", SavedOneHandler),
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
