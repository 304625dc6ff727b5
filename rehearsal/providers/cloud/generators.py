"""Values that are really random: the outputs of the random provider, and the keys of service accounts.

Source of alphabet and rules: hashicorp/terraform-provider-random v3.9.0 (see random.json). A key has the form of
Google's credentials file, with a private key of its own that no account knows: a client can sign with it.
"""

from __future__ import annotations

import base64
import json
import secrets
import string
from collections.abc import Mapping

from rehearsal.providers.values import Values, plain

ACCOUNT_KEY = "gcp:serviceaccount/key:Key"
SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
CLASSES = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
}


def _text(inputs: Mapping[str, object]) -> str:
    """A text of `length` characters with the minimum of each class that is asked for."""
    # `number` is the older name of `numeric`: either one turns digits off.
    wanted = {**inputs, "numeric": inputs.get("numeric", True) and inputs.get("number", True)}
    alphabets = {name: text for name, text in CLASSES.items() if wanted.get(name, True)}
    if inputs.get("special", True):
        alphabets["special"] = str(inputs.get("overrideSpecial") or SPECIAL)
    letters = [
        secrets.choice(alphabet)
        for name, alphabet in alphabets.items()
        for _ in range(int(str(inputs.get(f"min{name.capitalize()}") or 0)))
    ]
    everything = "".join(alphabets.values())
    letters += [secrets.choice(everything) for _ in range(int(str(inputs["length"])) - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def _bytes(inputs: Mapping[str, object]) -> Values:
    drawn, prefix = secrets.token_bytes(int(str(inputs["byteLength"]))), str(inputs.get("prefix") or "")
    return {
        "b64Std": prefix + base64.b64encode(drawn).decode(),
        "b64Url": prefix + base64.urlsafe_b64encode(drawn).decode().rstrip("="),
        "dec": prefix + str(int.from_bytes(drawn, "big")),
        "hex": prefix + drawn.hex(),
    }


def _account_key(account: str) -> str:
    """The credentials file of `account` (``projects/P/serviceAccounts/EMAIL``), as base64."""
    # Only here: it takes a fifth of a second, and few programs make such a key.
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    email = account.rpartition("/")[2]
    content = {
        "type": "service_account",
        "project_id": account.split("/")[1] if "/" in account else "",
        "private_key_id": secrets.token_hex(20),
        "private_key": pem,
        "client_email": email,
        "client_id": str(secrets.randbelow(10**21)),
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    }
    return base64.b64encode(json.dumps(content).encode()).decode()


def random_outputs(token: str, planned: Values) -> Values:
    """The random outputs of a type of the random provider, and of an account's key; empty for every other type."""
    if token == ACCOUNT_KEY:
        return {"privateKey": _account_key(str(plain(planned["serviceAccountId"])))}
    if not token.startswith("random:"):
        return {}
    inputs = {key: plain(value) for key, value in planned.items()}
    if token.endswith(":RandomId"):
        return _bytes(inputs)
    text = _text(inputs)
    # The fake hash has the form of a bcrypt hash (cost 10) and is no hash of the password.
    alphabet = string.ascii_letters + string.digits + "./"
    return {"result": text, "bcryptHash": "$2a$10$" + "".join(secrets.choice(alphabet) for _ in range(53))}
