"""Deframing: any cut, any garbage, wrong lengths, glued frames."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.hj212.crc import CrcKind
from services.ingest.hj212.encoder import encode_frame
from services.ingest.hj212.frame import MAX_FRAME, Deframer, Frame, Skipped
from shared.testing.hj212_device import frame

SEGMENT = "QN=20260301080000001;ST=32;CN=2011;PW=123456;MN=A1;Flag=5;CP=&&DataTime=20260301080000;w01018-Rtd={}&&"
FIRST, SECOND, THIRD = (SEGMENT.format(n).encode() for n in (41, 42, 43))


def frames_of(*chunks: bytes, settle: bool = False) -> list[Frame]:
    deframer = Deframer()
    pieces = [piece for chunk in chunks for piece in deframer.feed(chunk)]
    if settle:
        pieces += deframer.settle()
    return [piece for piece in pieces if isinstance(piece, Frame)]


def segments_of(*chunks: bytes, settle: bool = False) -> list[bytes]:
    return [found.segment for found in frames_of(*chunks, settle=settle)]


def with_length(segment: bytes, length: str, tail: bytes = b"\r\n") -> bytes:
    body = frame(segment)[6:-2]
    return b"##" + length.encode() + body + tail


garbage = st.binary(max_size=60).map(lambda data: data.replace(b"#", b"+"))
texts = st.text(st.characters(codec="utf-8", exclude_characters="&#\r\n"), max_size=60)


@given(
    st.lists(st.tuples(garbage, texts, st.sampled_from([b"\r\n", b"\n", b""])), max_size=4),
    st.lists(st.integers(0, 2000), max_size=6),
)
@settings(max_examples=100, deadline=None)
def test_frames_survive_any_cut_and_any_garbage_between(
    parts: list[tuple[bytes, str, bytes]], cuts: list[int]
) -> None:
    """TCP cuts where it likes, and DTUs talk between the frames."""
    stream = b""
    sent = []
    for noise, text, tail in parts:
        segment = f"QN=1;MN=A1;CP=&&i11001-Info=//{text}//&&".encode()
        stream += noise + encode_frame(segment).removesuffix(b"\r\n") + tail
        sent.append(segment)
    bounds = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    chunks = [stream[a:b] for a, b in itertools.pairwise(bounds)]
    assert segments_of(*chunks) == sent


TROUBLE = [
    b"##", b"#", b"##0010", b"##0888QN=", b"##12ST=", b"##ST=", b"&&", b"&&FFFF", b"\r\n", b"\n",
    b"\r", b"CP=&&", b"QN=1;", b"1234", b";;", frame(FIRST), frame(SECOND)[:-2], frame(THIRD)[:50],
    with_length(FIRST, "0300"), with_length(SECOND, "0020"), with_length(THIRD, "0108"),
]  # fmt: skip


@given(st.lists(st.sampled_from(TROUBLE), max_size=12), st.lists(st.integers(0, 900), max_size=6))
@settings(max_examples=200, deadline=None)
def test_what_a_stream_means_never_depends_on_how_it_was_cut(
    pieces: list[bytes], cuts: list[int]
) -> None:
    """Also for streams that are nothing but trouble."""
    stream = b"".join(pieces)
    bounds = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    chunks = [stream[a:b] for a, b in itertools.pairwise(bounds)]
    assert frames_of(*chunks, settle=True) == frames_of(stream, settle=True)


def test_every_byte_alone_makes_the_same_frames() -> None:
    """The smallest pieces there are."""
    stream = b"HEARTBEAT\r\n" + frame(FIRST) + with_length(SECOND, "0888") + frame(THIRD)
    assert segments_of(*(bytes([byte]) for byte in stream)) == [FIRST, SECOND, THIRD]


def test_lengths_of_one_to_four_digits_are_read() -> None:
    """`##81QN=` stands in real logs."""
    for length in (str(len(FIRST)), f"{len(FIRST):03}", f"{len(FIRST):04}"):
        (found,) = frames_of(with_length(FIRST, length))
        assert (found.segment, found.length_ok, found.kind) == (FIRST, True, CrcKind.HJ212)


def test_a_length_that_is_too_large_does_not_swallow_the_next_frame() -> None:
    """The frame ends where its own CRC says, at once and not only when enough bytes came."""
    (first,) = frames_of(with_length(FIRST, "0888"))
    assert (first.segment, first.length_ok, first.kind) == (FIRST, False, CrcKind.HJ212)
    assert segments_of(with_length(FIRST, "0888") + frame(SECOND)) == [FIRST, SECOND]


def test_a_length_that_is_too_small_does_not_cut_the_frame() -> None:
    """Lengths counted in characters come out short when there is Chinese in it."""
    for wrong in ("0001", "0050", f"{len(FIRST) - 2:04}", f"{FIRST.index(b'DataTime'):04}"):
        found = frames_of(with_length(FIRST, wrong) + frame(SECOND))
        assert [piece.segment for piece in found] == [FIRST, SECOND]
        assert [piece.length_ok for piece in found] == [False, True]


def test_an_absent_length_is_measured() -> None:
    """What a relay dropped can be counted."""
    (found,) = frames_of(with_length(FIRST, ""))
    assert (found.segment, found.declared, found.kind) == (FIRST, None, CrcKind.HJ212)


def test_a_frame_that_was_cut_off_gives_way_to_the_one_behind_it() -> None:
    """Nothing says that the rest will not come, until nothing comes."""
    deframer = Deframer()
    assert deframer.feed(b"##0888" + FIRST[:60] + b"\r\n" + frame(SECOND)) == []
    assert deframer.is_stuck
    cut, whole = deframer.settle()
    assert isinstance(cut, Frame)
    assert isinstance(whole, Frame)
    assert (cut.segment, cut.crc, cut.kind) == (FIRST[:60], b"", None)
    assert whole.segment == SECOND


def test_a_frame_quoted_in_a_log_does_not_end_the_frame_around_it() -> None:
    """3020 uploads carry what instruments said, frames and all."""
    quoted = frame(SECOND) + frame(THIRD)
    segment = b"QN=1;ST=32;CN=3020;CP=&&DataTime=20260301080000;i11001-Info=//" + quoted + b"//&&"
    for cut in range(0, len(segment), 7):
        stream = encode_frame(segment) + frame(FIRST)
        assert segments_of(stream[:cut], stream[cut:]) == [segment, FIRST]


def test_a_wrong_crc_keeps_its_place_in_the_stream() -> None:
    """It is refused as one frame, and the next one is not lost."""
    broken = frame(FIRST)[:-6] + b"0000\r\n"
    found = frames_of(broken + frame(SECOND))
    assert [(piece.segment, piece.kind) for piece in found] == [
        (FIRST, None),
        (SECOND, CrcKind.HJ212),
    ]


def test_a_stream_without_a_head_takes_no_memory() -> None:
    """A gigabyte of it would be thrown away as it comes."""
    deframer = Deframer()
    skipped = 0
    chunk = b"GET / HTTP/1.1 # " * 4000
    for _ in range(20):
        for piece in deframer.feed(chunk):
            assert isinstance(piece, Skipped)
            skipped += len(piece.data)
        assert deframer.pending < MAX_FRAME
    assert skipped >= 20 * len(chunk) - 1


def test_an_endless_frame_is_given_up() -> None:
    """Nothing is held back beyond the largest frame there can be."""
    deframer = Deframer()
    for _ in range(2_000):
        deframer.feed(b"##1234ST=" + b"x" * 64)
        assert deframer.pending <= 2 * MAX_FRAME
