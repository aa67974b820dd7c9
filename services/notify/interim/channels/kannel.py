"""Kannel: one POST a message; the text is the body, everything else stands in headers.

Nothing personal stands in a URL, so no proxy or access log ever sees a number. Each message
has a connection of its own: a kept-alive one that the gateway has just closed would make
"was it taken?" unanswerable.
"""

from urllib.parse import quote

import httpx

from services.notify.interim.channels.deadline import Deadline, retry_after_us
from services.notify.interim.port import Accepted, Message, Outcome, Refused, Retry, Unknown
from services.notify.interim.wording.sms import sms
from shared.model.people import Channel


class KannelChannel:
    def __init__(self, channel: Channel, base_url: str) -> None:
        self._channel, self._base_url = channel, base_url
        self._timeout_s = channel.timeout_us / 1e6

    def send(self, message: Message) -> tuple[Outcome, str]:
        text = sms(message.facts)
        return self._post(message, text), text

    def _post(self, message: Message, text: str) -> Outcome:
        deadline = Deadline(self._timeout_s)
        try:
            transport = httpx.HTTPTransport(retries=0, trust_env=False)
            with httpx.Client(
                transport=transport,
                timeout=self._timeout_s,
                follow_redirects=False,
                trust_env=False,
            ) as client:
                request = client.build_request(
                    "POST", self._channel.url, content=text.encode(), headers=self._headers(message)
                )
                response = client.send(request, stream=True)
                body = deadline.read(response, 4096)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Retry("the gateway cannot be reached")
        except (
            httpx.InvalidURL,
            httpx.UnsupportedProtocol,
            httpx.LocalProtocolError,
            UnicodeError,
        ):
            return Refused("the request cannot be written; check url and address")
        except (httpx.TransportError, TimeoutError):
            return Unknown("the answer of the gateway was lost")
        return classify(response.status_code, body, response.headers.get("retry-after"))

    def _headers(self, message: Message) -> dict[str, str]:
        channel = self._channel
        receipt = (
            f"{self._base_url}/gateway/{channel.id}/receipt"
            f"?id={quote(message.notification, safe='')}&status=%d"
        )
        return {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": channel.username,
            "X-Kannel-Password": channel.password,
            "X-Kannel-From": channel.sender,
            "X-Kannel-To": message.address,
            "X-Kannel-Coding": "2",
            "X-Kannel-DLR-Mask": "31",
            "X-Kannel-DLR-URL": receipt,
        }


def classify(status: int, body: str, retry_after: str | None) -> Outcome:
    """Contract §5: accepted is only 202 with a body that begins `0:` or `3:`."""
    if status == 202 and body.startswith(("0:", "3:")):
        return Accepted()
    if status == 429 or status >= 500:
        return Retry(f"the gateway says {status}", retry_after_us(retry_after))
    return Refused(f"the gateway says {status}")
