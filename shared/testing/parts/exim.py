"""A real Exim as a child process in one folder; each mail it delivers is one file of a Maildir.

Domain `mail.test` is its own. `nobody@` is refused for good, `grey@` is put off once, the rest
is taken. Needs Debian's package `exim4-daemon-light` and `openssl` for the certificate.
"""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import weakref
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from shared.clock import real_monotonic
from shared.testing.program import free_ports

_START_WITHIN_S = 20.0

_CONFIGURATION = """\
primary_hostname = mail.test
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
exim_user = {user}
exim_group = {group}
never_users =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {ports}
tls_on_connect_ports = {implicit}
domainlist here = mail.test
tls_advertise_hosts = *
tls_certificate = {folder}/cert.pem
tls_privatekey = {folder}/key.pem
acl_smtp_rcpt = recipient
smtputf8_advertise_hosts = *
smtp_accept_queue_per_connection = 0
keep_environment =
begin acl
recipient:
  deny    local_parts = nobody
          message = 5.1.1 No such person here
  accept  local_parts = grey
          ratelimit = 1.5 / 1h / strict / per_rcpt / $sender_address-$local_part
  defer   local_parts = grey
          message = 4.7.1 Greylisted, come back later
  accept
begin routers
box:
  driver = accept
  domains = +here
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  create_directory
  user = {user}
  group = {group}
  envelope_to_add
begin retry
*  *  F,1h,1s
"""


def exim_is_installed() -> bool:
    return shutil.which("exim4") is not None and shutil.which("openssl") is not None


class Exim:
    """`port` speaks plain SMTP and STARTTLS, `tls_port` TLS from the first byte."""

    host = "127.0.0.1"

    def __init__(self, folder: Path | None = None) -> None:
        """Its files stand in `folder`; as root, or without one, in a folder of their own.

        Exim gives up root, and could not enter a private folder such as pytest's.
        """
        if folder is None or os.getuid() == 0:
            own = tempfile.mkdtemp(prefix="exim-")
            weakref.finalize(self, shutil.rmtree, own, True)
            folder = Path(own)
            folder.chmod(0o755)
        self._folder = folder.absolute()
        self.port, self.tls_port = free_ports(2)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def ca_file(self) -> Path:
        """The certificate to trust; it names `mail.test` and 127.0.0.1."""
        return self._folder / "cert.pem"

    def __enter__(self) -> "Exim":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> "Exim":
        """Write the files and wait until the port answers.

        Raises:
            RuntimeError: it ended or did not answer in time; its own words are in the message.

        """
        for name in ("spool", "log", "mail"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        if not self.ca_file.exists():
            self._certificate()
        self._configure()
        with (self._folder / "out").open("wb") as out:
            self._child = subprocess.Popen(
                ["exim4", "-C", str(self._folder / "exim.conf"), "-bdf", "-q1s"],
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        deadline = real_monotonic() + _START_WITHIN_S
        pause = threading.Event()
        while real_monotonic() < deadline and self._child.poll() is None:
            try:
                socket.create_connection((self.host, self.port), 1).close()
                return self
            except OSError:
                pause.wait(0.05)
        self.stop()
        words = (self._folder / "out").read_text("utf-8", "replace")[-1500:]
        raise RuntimeError(f"exim was not ready within {_START_WITHIN_S} s: {words}")

    def stop(self) -> None:
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child = None

    def mails(self) -> list[EmailMessage]:
        """What has been delivered, oldest first."""
        files = sorted(
            (self._folder / "mail" / "new").glob("*"), key=lambda f: f.stat().st_mtime_ns
        )
        parsed = [message_from_bytes(f.read_bytes(), policy=policy.default) for f in files]
        return [mail for mail in parsed if isinstance(mail, EmailMessage)]

    def wait_for(self, count: int, within_s: float = 15.0) -> list[EmailMessage]:
        """The mails, once there are `count` of them.

        Raises:
            TimeoutError: fewer came within the time.

        """
        deadline = real_monotonic() + within_s
        pause = threading.Event()
        while len(mails := self.mails()) < count:
            if real_monotonic() > deadline:
                raise TimeoutError(f"{len(mails)} of {count} mails within {within_s} s")
            pause.wait(0.05)
        return mails

    def _certificate(self) -> None:
        names = "subjectAltName=DNS:mail.test,IP:127.0.0.1"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        subprocess.run(
            [*command, "-subj", "/CN=mail.test", "-addext", names, "-keyout", "key.pem", "-out", "cert.pem"],
            cwd=self._folder, check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _configure(self) -> None:
        # Exim gives up root for delivery, so its folder belongs to somebody else then.
        as_root = os.getuid() == 0
        user = pwd.getpwnam("nobody") if as_root else pwd.getpwuid(os.getuid())
        group = grp.getgrgid(user.pw_gid).gr_name
        file = self._folder / "exim.conf"
        file.write_text(
            _CONFIGURATION.format(
                folder=self._folder, user=user.pw_name, group=group,
                ports=f"{self.port} : {self.tls_port}", implicit=self.tls_port,
            ),
            encoding="utf-8",
        )  # fmt: skip
        if as_root:
            for path in (self._folder, *self._folder.rglob("*")):
                shutil.chown(path, user.pw_name, group)
            shutil.chown(file, 0, 0)
