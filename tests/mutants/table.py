"""The defences one by one, each with a change that takes it away and the test that must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A defence: `old` occurs once in the package's `file`; without it, which is `new`, the test at `node` fails."""

    name: str
    file: str
    old: str
    new: str
    node: str
    root: bool = False
    """Whether only root can run the test."""


HEADERS, DOORS = "tests/proxy/test_headers.py::", "tests/proxy/test_websocket_doors.py::"
ACCOUNTS, STORE, ROUTES = (
    "tests/proxy/test_accounts.py::",
    "tests/sessions/test_store.py::",
    "tests/api/test_routes.py::",
)
AUDIT = "tests/sessions/test_audit.py::test_a_file_that_is_not_the_users_alone_is_not_written_which_is_said_once"
PLAIN = "tests/test_plain_text.py::"
BOUNDS = "tests/security/test_bounds.py::"
FRONT, MODELS = "tests/security/test_front.py::", "tests/values/test_models.py::"
DAMAGED, READER = "tests/sessions/test_damaged.py::", "tests/values/test_reader.py::"
NEIGHBOURS = "tests/schedulers/test_local_neighbours.py::"
NO_HEARTBEAT = f"{FRONT}test_a_cookie_opens_no_heartbeat_for_another_page"
NO_CONNECTION = f"{MODELS}test_a_connection_that_no_job_writes_is_refused"
COMES_IN = f"{DOORS}test_only_our_own_page_and_token_bearers_come_in"
NAMED = "tests/http/test_origins.py::test_a_named_page_comes_in_exactly_where_jupyter_lets_it_in"
TICKET = f"{DOORS}test_a_ticket_opens_its_own_session_and_nothing_else"

MUTANTS = [
    Mutant(
        "an answer ends the quotes around it",
        "job_script.py",
        """text.replace("'", "'\\\\''")""",
        "text",
        "tests/jobscripts/test_jobscripts.py::"
        "test_an_answer_of_the_apps_own_form_is_only_text_to_setup_and_program['; touch SENTINEL; ']",
    ),
    Mutant(
        "an answer stands in a shell's script",
        "apps/own_fields.py",
        'read_by_a_shell(data.get("command", ()))',
        "set[str]()",
        "tests/apps/test_fields.py::test_a_mistake_in_questions_or_rules_is_told"
        "[fields: [{name: a, type: path}]\\ncommand: [bash, -c, 'tool {a}']-Write \"$field_a\" there.]",
    ),
    Mutant(
        "rules are shown and not enforced",
        "apps/form.py",
        "if key not in wrong and (words := _against(outcome, key, value, unasked.get(key))):",
        "if key not in wrong and (words := None):",
        "tests/apps/test_fields.py::test_the_server_enforces_the_rules",
    ),
    Mutant(
        "saved settings lie open",
        "apps/saved.py",
        "self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)",
        "self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)",
        "tests/apps/test_saved.py::test_nobody_else_can_read_them",
    ),
    Mutant(
        "the node gets the browser's cookie",
        "proxy/headers.py",
        'REQUEST_HEADERS = ("Accept", ',
        'REQUEST_HEADERS = ("Cookie", "Accept", ',
        f"{HEADERS}test_a_node_sees_no_secret_of_the_browser[cookie]",
    ),
    Mutant(
        "the browser gets the node's cookie",
        "proxy/headers.py",
        'RESPONSE_HEADERS = ("Content-Encoding", ',
        'RESPONSE_HEADERS = ("Set-Cookie", "Content-Encoding", ',
        f"{HEADERS}test_a_browser_sees_no_wish_of_a_hostile_node",
    ),
    Mutant(
        "redirects pass",
        "proxy/node_files.py",
        "PASSED = (200, 304, 404)",
        "PASSED = (200, 302, 304, 404)",
        f"{HEADERS}test_no_redirect_and_no_demand_passes[302 Found]",
    ),
    Mutant(
        "any path goes to the node",
        "proxy/headers.py",
        "if len(raw) > 1024 or not FILE.fullmatch(raw):",
        "if len(raw) > 1024:",
        f"{HEADERS}test_no_trick_with_a_path_reaches_the_node[js//x.js]",
    ),
    Mutant(
        "any origin is ours",
        "http/origin.py",
        'found.netloc == request.headers.get("Host", "").lower()',
        "bool(found.netloc)",
        f"{COMES_IN}[cookie-https://evil.example-403]",
    ),
    Mutant(
        "a pattern of origins counts when it fits the beginning",
        "http/origin.py",
        "bool(pattern) and origin_matches_pat(pattern, origin.lower())",
        "bool(pattern) and bool(re.match(pattern, origin.lower()))",
        f"{NAMED}[a pattern]",
    ),
    Mutant(
        "a pattern of origins counts beside a name",
        "http/origin.py",
        "    if named:\n        return",
        '    if named in ("*", origin.lower()):\n        return',
        f"{NAMED}[a name and a pattern]",
    ),
    Mutant(
        "a cookie without an origin is enough",
        "http/base.py",
        'return "Authorization" in self.request.headers and self.token_authenticated',
        "return True",
        f"{COMES_IN}[cookie-None-403]",
    ),
    Mutant(
        "who may look may type",
        "proxy/websockets.py",
        '@authorized("execute")',
        '@authorized("read")',
        f"{DOORS}test_who_may_only_look_opens_no_display",
    ),
    Mutant(
        "tickets count under any host name",
        "proxy/handler.py",
        "if not self.check_host():",
        "if False:",
        f"{DOORS}test_a_ticket_under_a_foreign_host_name_is_refused",
    ),
    Mutant(
        "a ticket opens any session",
        "proxy/tickets.py",
        "if grant is None or not hmac.compare_digest(grant.session.encode(), session_key.encode()):",
        "if grant is None:",
        f"{TICKET}[other-session-null-403-False]",
    ),
    Mutant(
        "a ticket outlives its run",
        "proxy/tickets.py",
        "if grant.session == session_key and grant.run != run:",
        "if False:",
        f"{TICKET}[older-run-null-403-False]",
    ),
    Mutant(
        "tickets are logged",
        "http/origin.py",
        "[ticket]{address[found.end() :]}",
        "{found['ticket']}{address[found.end() :]}",
        f"{DOORS}test_a_ticket_is_in_no_log[True]",
    ),
    Mutant(
        "refusals fill the log",
        "proxy/log_limit.py",
        "if not self._bucket.take():",
        "if not self._bucket.take() and False:",
        f"{ACCOUNTS}test_what_was_left_out_is_said",
    ),
    Mutant(
        "websockets may be asked for without end",
        "proxy/log_limit.py",
        "if self._size and self._left < 1:",
        "if False:",
        f"{ACCOUNTS}test_a_session_is_opened_a_bounded_number_of_times_a_minute",
    ),
    Mutant(
        "a squatter at one address is the end of it",
        "transports/addresses.py",
        "            failed.append(error)\n",
        "            raise error from None\n",
        "tests/proxy/test_squatters.py::"
        "test_a_squatter_at_one_address_does_not_keep_anybody_from_the_display_at_the_other[::1-same_name]",
    ),
    Mutant(
        "any certificate is the pinned one",
        "relay/pinned_tls.py",
        "return certificate is not None and hmac.compare_digest(fingerprint_of(certificate), fingerprint)",
        "return True",
        "tests/transports/test_credentials.py::test_keys_of_another_run_are_a_mismatch",
    ),
    Mutant(
        "the relay looks at no pin",
        "relay/process.py",
        "if not same_fingerprint(wrapped.getpeercert(binary_form=True), fingerprint):",
        "if False:",
        "tests/relay/test_relay.py::test_it_holds_a_certificate_against_the_pin_itself",
    ),
    Mutant(
        "any authority's certificate will do",
        "relay/pinned_tls.py",
        "context.minimum_version = ssl.TLSVersion.TLSv1_2",
        "context.minimum_version, context.check_hostname = ssl.TLSVersion.TLSv1_2, False\n"
        "        context.verify_mode = ssl.CERT_NONE",
        "tests/transports/test_credentials.py::test_the_context_trusts_one_certificate_and_shows_the_clients",
    ),
    Mutant(
        "anybody may own the socket",
        "transports/local.py",
        "if owner != os.geteuid() or listener not in (None, process):",
        "if listener not in (None, process):",
        "tests/proxy/test_squatters.py::test_a_socket_of_ours_opens_and_one_of_somebody_else_does_not",
    ),
    Mutant(
        "links are followed",
        "private_files.py",
        "os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK",
        "os.O_RDONLY | os.O_NONBLOCK",
        f"{STORE}test_a_symlink_is_not_followed",
    ),
    Mutant(
        "files may have a second name",
        "private_files.py",
        "or status.st_nlink > 1:",
        "or False:",
        f"{STORE}test_a_hard_link_is_refused",
    ),
    Mutant(
        "others may read",
        "private_files.py",
        "if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:",
        "if status.st_uid != os.geteuid():",
        f"{STORE}test_a_folder_that_others_can_enter_is_refused",
    ),
    Mutant(
        "others may own",
        "private_files.py",
        "if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:",
        "if stat.S_IMODE(status.st_mode) & 0o077:",
        "tests/transports/test_credentials.py::test_somebody_elses_file_is_refused",
        root=True,
    ),
    Mutant(
        "an older run's word counts",
        "sessions/store.py",
        'if data is None or (isinstance(data.get("run"), str) and data["run"] != run):',
        "if data is None:",
        f"{STORE}test_an_older_generations_word_counts_for_nothing",
    ),
    Mutant(
        "a runner takes any folder",
        "schedulers/local/runner.py",
        "    enter(Path(sys.argv[1]))",
        "    os.chdir(sys.argv[1])",
        f"{NEIGHBOURS}test_a_runner_starts_nothing_where_others_may_write_on_any_level[.]",
    ),
    Mutant(
        "a runner looks at no level above",
        "schedulers/local/runner.py",
        "check_private(Path(level).stat(), folder / level)",
        "pass",
        f"{NEIGHBOURS}test_a_runner_starts_nothing_where_others_may_write_on_any_level[../../..]",
    ),
    Mutant(
        "a neighbour's job is ours",
        "schedulers/local/scheduler.py",
        "            check_job(folder)\n            return self._told",
        "            return self._told",
        f"{NEIGHBOURS}test_a_job_that_a_neighbour_left_while_our_folder_was_open_to_all_is_not_run[493-group]",
        root=True,
    ),
    Mutant(
        "a folder of jobs may be anybody's",
        "private_files.py",
        "        check_private(os.fstat(found), path)",
        "        pass",
        f"{NEIGHBOURS}test_a_state_folder_that_was_there_before_us_is_refused_with_its_path[0777-sticky]",
        root=True,
    ),
    Mutant(
        "a folder of jobs may be a link",
        "private_files.py",
        "os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC",
        "os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC",
        f"{NEIGHBOURS}test_a_link_is_refused_on_every_level[ours-local-sticky]",
        root=True,
    ),
    Mutant(
        "a record may be another session's",
        "sessions/store.py",
        "if record and record.key != self.path.name:",
        "if False:",
        f"{DAMAGED}test_a_damaged_session_is_told_with_the_path_and_what_is_wrong[another-key]",
    ),
    Mutant(
        "a job's id may be an option",
        "values/session.py",
        "job_id: Annotated[str | None, text(271, ANY_JOB_ID)]",
        "job_id: Annotated[str | None, text(271)]",
        f"{READER}test_a_field_that_cannot_be_is_refused_by_name[Record-job_id--W force]",
    ),
    Mutant(
        "jobs see passwords",
        "environment.py",
        "|.*(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY).*|",
        "|",
        "tests/schedulers/test_local.py::test_a_job_sees_pbs_variables_and_no_secret",
    ),
    Mutant(
        "sessions may be started without end",
        "sessions/limits.py",
        "len(self._starts) >= self.limits.starts_per_minute",
        "False",
        "tests/sessions/test_submission.py::test_the_31st_start_within_a_minute_is_refused",
    ),
    Mutant(
        "the audit file may be a link",
        "private_files.py",
        "os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK",
        "os.O_CREAT | os.O_NONBLOCK",
        f"{AUDIT}[link]",
    ),
    Mutant(
        "the audit file may be anybody's",
        "private_files.py",
        "        check_file(status, path)\n        with suppress",
        "        with suppress",
        f"{AUDIT}[shared]",
    ),
    Mutant(
        "a name in the audit file hides what stands beside it",
        "sessions/audit.py",
        "ensure_ascii=True",
        "ensure_ascii=False",
        "tests/sessions/test_audit.py::test_what_a_request_names_moves_and_hides_nothing",
    ),
    Mutant(
        "texts are markup",
        "pages/handlers.py",
        "autoescape=True",
        "autoescape=False",
        "tests/pages/test_pages.py::test_the_pages_escape_what_they_show",
    ),
    Mutant(
        "any host name is the site's",
        "http/origin.py",
        'return not known or urlsplit(f"//{request.host}").hostname in known',
        "return True",
        f"{FRONT}test_a_foreign_host_name_is_refused[api/apps]",
    ),
    Mutant(
        "forms are taken",
        "api/base.py",
        'return kind.partition(";")[0].strip().lower() == "application/json"',
        "return True",
        f"{FRONT}test_a_form_is_refused",
    ),
    Mutant(
        "the API lets addresses go on",
        "http/headers.py",
        ', "Referrer-Policy": "no-referrer"}',
        "}",
        f"{FRONT}test_the_api_lets_no_address_go_on",
    ),
    Mutant(
        "an icon may run what it likes",
        "api/catalogue.py",
        "frame-ancestors 'self'; sandbox\"",
        "frame-ancestors 'self'\"",
        f"{FRONT}test_an_icon_that_is_opened_as_a_page_can_do_nothing",
    ),
    Mutant(
        "any page may listen to the heartbeat",
        "http/base.py",
        "return is_own_origin(origin, self.request)",
        "return True",
        f"{NO_HEARTBEAT}[https://evil.example]",
    ),
    Mutant(
        "a cookie without an origin opens the heartbeat",
        "http/base.py",
        "if self.opens_websocket and not self.check_origin():",
        "if False:",
        f"{NO_HEARTBEAT}[None]",
    ),
    Mutant(
        "the heartbeat asks nobody who he is",
        "pages/live.py",
        '    @ws_authenticated\n    @authorized("execute")  # type: ignore[untyped-decorator]  # its types break '
        "with an action\n    async def get",
        "    async def get",
        f"{FRONT}test_no_route_lets_a_stranger_in",
    ),
    Mutant(
        "the display asks nobody who he is",
        "proxy/websockets.py",
        '    @ws_authenticated\n    @authorized("execute")  # type',
        "    # type",
        f"{FRONT}test_no_route_lets_a_stranger_in",
    ),
    Mutant(
        "the list of sessions is for everybody",
        "api/sessions.py",
        "    @web.authenticated\n    @authorized\n    @answers\n    async def get(self) -> None:\n",
        "    @answers\n    async def get(self) -> None:\n",
        f"{FRONT}test_no_route_lets_a_stranger_in",
    ),
    Mutant(
        "the heartbeat goes by a rule of its own",
        "pages/live.py",
        "return QConnectHandler.check_origin(self)",
        "return True",
        f"{NO_HEARTBEAT}[https://evil.example]",
    ),
    Mutant(
        "who may look gets tickets",
        "pages/live.py",
        '"execute")  # type: ignore[untyped-decorator]  # its types break with an action\n    async def get(',
        '"read")  # type: ignore[untyped-decorator]  # its types break with an action\n    async def get(',
        f"{FRONT}test_who_may_only_look_opens_no_heartbeat",
    ),
    Mutant(
        "the API reads bodies of any size",
        "api/base.py",
        "max_body = 64 * 1024",
        "max_body = 1 << 40",
        f"{FRONT}test_a_large_body_is_refused",
    ),
    Mutant(
        "a session's folder may be a link",
        "private_files.py",
        "os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC",
        "os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC",
        f"{STORE}test_a_symlinked_session_folder_is_refused",
    ),
    Mutant(
        "a record may name anything as its node",
        "values/session.py",
        "node: Annotated[str, text(253, NODE)]",
        "node: Annotated[str, text(253)]",
        f"{NO_CONNECTION}[wrong5]",
    ),
    Mutant(
        "a record may name a system's port",
        "values/session.py",
        "port: Annotated[int | None, whole(1024, 65535)]",
        "port: Annotated[int | None, whole(0, 65535)]",
        f"{NO_CONNECTION}[wrong0]",
    ),
    Mutant(
        "the relay has the server's environment",
        "proxy/relay_client.py",
        "env={name: os.environ[name] for name in PASSED if name in os.environ},",
        "env=dict(os.environ),",
        "tests/relay/test_relay.py::test_it_knows_nothing_but_what_it_needs",
    ),
    Mutant(
        "xpra sees the server's secrets",
        "clients/xpra.py",
        "env=job_environment(),",
        "env=None,",
        "tests/clients/test_clients.py::test_the_xpra_beside_it_sees_no_secret",
    ),
    Mutant(
        "the batch system's commands see the server's secrets",
        "schedulers/commands.py",
        "for name, value in job_environment().items()",
        "for name, value in os.environ.items()",
        "tests/schedulers/test_commands.py::test_commands_see_no_secret_and_no_other_jobs_variables",
    ),
    Mutant(
        "of TORQUE's documents the first one is read",
        "schedulers/pbs/torque_xml.py",
        "return [first, *rest] if first.strip() or not rest else rest",
        "return ([first, *rest] if first.strip() or not rest else rest)[:1]",
        "tests/schedulers/test_recordings.py::test_torque_prints_a_document_for_each_id_that_it_knows",
    ),
    Mutant(
        "a job that nothing was said of counts as unknown to Slurm",
        "schedulers/slurm/scheduler.py",
        "if argv.unknown_id(done):",
        "if done.status:",
        "tests/schedulers/test_follow_up.py::test_a_controller_that_dies_between_two_questions_says_nothing",
    ),
    Mutant(
        "a stop goes to whatever cluster has a job of that number",
        "schedulers/slurm/argv.py",
        'return ["scancel", *at(cluster_of(job_id)), number_of(job_id)]',
        'return ["scancel", number_of(job_id)]',
        "tests/schedulers/test_clusters.py::test_a_job_is_ended_on_its_own_cluster_and_its_namesake_lives",
    ),
    Mutant(
        "a number in a site's banner is the new job",
        "schedulers/slurm/argv.py",
        "whole = PARSABLE.fullmatch(done.out.strip())",
        "whole = PARSABLE.search(done.out.strip())",
        "tests/schedulers/test_refusals.py::test_a_number_alone_is_no_id_and_two_are_none",
    ),
    Mutant(
        "an address that is no text is told as it came",
        "http/base.py",
        "raise web.HTTPError(400, UNREADABLE) from None",
        "return super().decode_argument(value, name)",
        f"{BOUNDS}test_an_address_that_is_no_text_is_refused_in_our_words[%ff/live]",
    ),
    Mutant(
        "below our address Jupyter answers what we do not",
        "pages/__init__.py",
        '    (".+", NowherePage),\n',
        "",
        f"{BOUNDS}test_an_address_that_is_no_text_is_refused_in_our_words[no/such/page/%ff]",
    ),
    Mutant(
        "an origin that is none is looked at by Jupyter",
        "http/origin.py",
        "        host = urlsplit(origin.lower()).netloc\n    except ValueError:\n        return True",
        "        host = urlsplit(origin.lower()).netloc\n    except ValueError:\n        return False",
        f"{BOUNDS}test_an_origin_that_is_none_is_refused[api/sessions-http://[]",
    ),
    Mutant(
        "the scheme of an origin does not count",
        "http/base.py",
        "return not (origin and is_counterfeit(origin, self.request)) and super().check_origin()",
        "return super().check_origin()",
        f"{BOUNDS}test_a_page_of_this_name_by_another_scheme_is_another_page",
    ),
    Mutant(
        "deep JSON is our fault",
        "api/base.py",
        "except (ValueError, RecursionError):",
        "except ValueError:",
        f"{BOUNDS}test_json_that_cannot_be_read_is_refused_however_deep",
    ),
    Mutant(
        "a body is taken in before it is refused",
        "http/base.py",
        "        self.refuse_body()\n        try:\n            await super()",
        "        try:\n            await super()",
        f"{BOUNDS}test_a_body_over_the_limit_is_refused_before_it_is_sent[api/sessions]",
    ),
    Mutant(
        "a line of the log is as long as its request",
        "proxy/log_limit.py",
        "MAX_LINE = 240",
        "MAX_LINE = 240_000",
        f"{BOUNDS}test_an_unreadable_request_is_one_short_line_in_the_log",
    ),
    Mutant(
        "the lines of requests are not counted",
        "proxy/log_limit.py",
        "LINES = 60",
        "LINES = 6000",
        f"{BOUNDS}test_what_is_sent_to_an_address_of_ours_cannot_fill_the_log",
    ),
    Mutant(
        "what a batch system says acts on the log",
        "config.py",
        "self.log.addFilter(PLAIN)",
        "self.log.addFilter(lambda record: True)",
        f"{PLAIN}test_what_this_package_logs_is_plain_and_others_lines_are_theirs",
    ),
    Mutant(
        "a name acts on the terminal",
        "cli/screen.py",
        "return text if isinstance(text, Painted) else shown(text)",
        "return text",
        f"{PLAIN}test_a_terminal_is_told_it_written_out",
    ),
    Mutant(
        "a title acts on a page",
        "pages/handlers.py",
        "return escaped(value) if type(value) is str else value",
        "return value",
        f"{PLAIN}test_a_page_shows_it_written_out",
    ),
    Mutant(
        "what is no HTTP fills the log",
        "proxy/log_limit.py",
        "if record.levelno <= logging.DEBUG or not (ours or no_http):",
        "if record.levelno <= logging.DEBUG or not ours:",
        f"{BOUNDS}test_what_is_no_http_cannot_fill_the_log_nor_put_a_secret_there",
    ),
    Mutant(
        "a header that is none is in the log",
        "proxy/log_limit.py",
        """escaped(record.getMessage().partition("'")[0] if no_http else record.getMessage())""",
        "escaped(record.getMessage())",
        f"{BOUNDS}test_what_is_no_http_cannot_fill_the_log_nor_put_a_secret_there",
    ),
    Mutant(
        "a request colours the log",
        "proxy/log_limit.py",
        "whole = escaped(",
        "whole = str(",
        f"{BOUNDS}test_a_request_cannot_colour_the_log",
    ),
    Mutant(
        "any number of pages may show sessions",
        "pages/live.py",
        "if most and len(self.rooms) >= most:",
        "if most and len(self.rooms) >= most * 2:",
        f"{FRONT}test_pages_beyond_the_bound_get_no_heartbeat",
    ),
    Mutant(
        "each heartbeat looks at all pages",
        "pages/viewers.py",
        "if before != (seat.viewer, seat.turn, seat.size):",
        "if before:",
        "tests/pages/test_rooms.py::test_a_heartbeat_that_says_nothing_new_costs_no_look_at_the_others",
    ),
    Mutant(
        "all pages are told in one go",
        "pages/rooms.py",
        "AT_ONCE = 8",
        "AT_ONCE = 8000",
        "tests/pages/test_rooms.py::test_others_have_their_turn_while_many_pages_are_told",
    ),
]
