"""The listing, by pages of 1000 over one connection: what a script of one's own would do."""

import json
import os

import requests

PAGE = 1000


def pages(query):
    """The pages of rows that `query` selects, in its order."""
    base_url = os.environ["VAINU_BASE_URL"]
    with requests.Session() as session:
        refresh = {"refresh": os.environ["VAINU_JWT_REFRESH_TOKEN"]}
        answer = session.post(f"{base_url}/token_authentication/refresh/", json=refresh, timeout=120)
        answer.raise_for_status()
        session.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        offset = 0
        while True:
            page = {**query, "limit": PAGE, "offset": offset}
            answer = session.post(f"{base_url}/v3/organizations/", json=page, timeout=120)
            answer.raise_for_status()
            # Not answer.json(): it takes simplejson, which is slower, where another package has brought it along.
            rows = json.loads(answer.content)
            if rows:
                yield rows
            if len(rows) < PAGE:
                return
            offset += PAGE
