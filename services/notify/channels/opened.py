"""The ways out of one configuration, by channel id."""

from services.notify.channels.kannel import KannelChannel
from services.notify.channels.local import LocalChannel
from services.notify.channels.smtp import SmtpChannel
from services.notify.port import ChannelPort
from shared.model.people import Channel


def open_channel(channel: Channel, base_url: str) -> ChannelPort:
    """The adapter of one channel. Opens no connection yet."""
    match channel.kind:
        case "kannel":
            return KannelChannel(channel, base_url)
        case "smtp":
            return SmtpChannel(channel)
        case "local":
            return LocalChannel(channel)


def open_channels(channels: dict[str, Channel], base_url: str) -> dict[str, ChannelPort]:
    return {name: open_channel(channel, base_url) for name, channel in channels.items()}
