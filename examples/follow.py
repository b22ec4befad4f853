"""Follow an order in a terminal, across dropped connections: `python examples/follow.py LINK`.

LINK is a customer's, as `milepost token --order ID --link` and `milepost demo` print it. What
happens on the wire: README, "Websocket".
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any
from urllib.parse import urlsplit

from websockets import ConnectionClosed
from websockets.asyncio.client import connect


async def follow(host: str, token: str) -> None:
    status: dict[str, Any] = {}
    headers = {"Authorization": f"Bearer {token}"}
    async for socket in connect(f"ws://{host}/ws", additional_headers=headers):
        try:
            await socket.send(json.dumps({"op": "hello", "v": 1}))
            async for said in socket:
                match json.loads(said):
                    case {"op": "hello", "orders": [order, *_]}:
                        await socket.send(json.dumps({"op": "sub", "topic": f"order:{order}"}))
                    case {"op": "ping"}:
                        await socket.send(json.dumps({"op": "pong"}))
                    case {"op": "snap", "items": [{"data": status}]}:
                        print(status["stage"], status["age"])
                    case {"op": "delta", "set": changed}:
                        status |= changed
                        print(status["stage"], status["age"])
        except ConnectionClosed as closed:
            # 40xx and an expired token end it; after all else the loop connects again, and waits.
            code = closed.rcvd.code if closed.rcvd else 1006
            if 4000 <= code < 4100 or code == 4202:
                sys.exit(f"the server closed with {closed}")


if __name__ == "__main__":
    link = urlsplit(sys.argv[1])
    asyncio.run(follow(link.netloc, link.fragment))
