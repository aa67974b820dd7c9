"""HJ 212 frames per second on one core, beside the limit of only decoding and splitting bytes.

Run as `python -m tests.bench.bench_hj212`. A frame is a 2017 upload of four pollutants, about
250 bytes; reads are 32 KiB, as the port does them.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from services.ingest.hj212.frame import Deframer, Frame
from services.ingest.hj212.packet import parse_packet
from services.ingest.hj212.session import Session, by_mn
from shared.clock import real_monotonic
from shared.model.facility import Hj212Access, Station
from shared.testing.hj212_device import Hj212Device

FRAMES = 20_000
ROUNDS = 3
READ = 32 * 1024
MN = "010000A8900016F000169DC0"


def stream() -> list[bytes]:
    """The same four pollutants, each frame with values of its own, in reads of 32 KiB."""
    device = Hj212Device(mn=MN)
    data = b"".join(
        device.upload(
            {"w01018": 40 + n % 7, "w01001": 7.1, "w21003": 3.2 + n % 3, "w21011": 0.31},
            data_time=f"202603010{n % 10}0000",
        )
        for n in range(200)
    )
    data *= FRAMES // 200
    return [data[at : at + READ] for at in range(0, len(data), READ)]


def only_decode(chunks: list[bytes]) -> int:
    """The limit: find line ends, decode, split; no CRC, no meaning."""
    count = 0
    for chunk in chunks:
        for line in chunk.split(b"\r\n"):
            area = line.decode().split("CP=&&")[-1]
            for group in area.split(";"):
                for field in group.split(","):
                    field.partition("=")
            count += 1
    return count


def deframe_and_parse(chunks: list[bytes]) -> int:
    """Frames with a checked CRC, taken apart."""
    deframer = Deframer()
    count = 0
    for chunk in chunks:
        for piece in deframer.feed(chunk):
            if isinstance(piece, Frame):
                parse_packet(piece.segment)
                count += 1
    return count


def whole_session(chunks: list[bytes]) -> int:
    """Everything the port does but I/O: candidates and answers."""
    station = Station(id="s", facility="f", hj212=Hj212Access(mn=MN))
    known = {"w01018", "w01001", "w21003", "w21011"}
    session = Session(by_mn({"s": station}), known, ZoneInfo("Asia/Shanghai"))
    return sum(len(session.receive(chunk)) for chunk in chunks)


def per_second(work: Callable[[list[bytes]], int], chunks: list[bytes]) -> float:
    """The best of some rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        start = real_monotonic()
        work(chunks)
        best = max(best, FRAMES / (real_monotonic() - start))
    return best


def main() -> None:
    chunks = stream()
    limit = per_second(only_decode, chunks)
    print(f"hj212 decode only (limit)      {limit:10,.0f} frames/s")
    print(f"hj212 deframe, CRC, parse      {per_second(deframe_and_parse, chunks):10,.0f} frames/s")
    print(f"hj212 to candidates, answers   {per_second(whole_session, chunks):10,.0f} frames/s")


if __name__ == "__main__":
    main()
