"""A station of the story: one TCP connection per logger, HJ 212-2017 frames, answers awaited."""

import socket
from contextlib import suppress

from services.ingest.hj212.encoder import encode_frame
from services.story.script import Upload

ANSWER_S = 5.0
PASSWORD = "123456"  # noqa: S105  of the invented 示例 stations, as in their configuration


class Devices:
    """Speaks for all 示例 stations; connects again when the line breaks."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._lines: dict[str, socket.socket] = {}

    def send(self, item: Upload) -> bool:
        """Send one upload with bit A; True when it was answered."""
        suffix = "Rtd" if item.cn == "2011" else "Avg"
        values = ";".join(f"{k}-{suffix}={v:g},{k}-Flag=N" for k, v in item.values.items())
        frame = encode_frame(
            f"QN={item.data_time}000;ST={item.st};CN={item.cn};PW={PASSWORD};MN={item.mn};Flag=5;"
            f"CP=&&DataTime={item.data_time};{values}&&"
        )
        try:
            line = self._line(item.mn)
            line.sendall(frame)
            return b"CN=9014" in line.recv(4096)
        except OSError:
            self.close(item.mn)
            return False

    def _line(self, mn: str) -> socket.socket:
        if mn not in self._lines:
            self._lines[mn] = socket.create_connection(self._address, ANSWER_S)
        return self._lines[mn]

    def close(self, mn: str) -> None:
        with suppress(KeyError, OSError):
            self._lines.pop(mn).close()
