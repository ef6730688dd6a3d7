"""A real S3 server of this process, from moto: a bucket, and the environment that leads there. Import the fixtures.

Each request about a key is whole, as on S3: moto alone answers 500 when two write one key at once.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest


@dataclass(frozen=True)
class Bucket:
    """An empty bucket, and a client (boto3) to look into it."""

    name: str
    client: Any

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def names(self) -> list[str]:
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of the server; it stops with the session."""
    server, responses = pytest.importorskip("moto.server"), pytest.importorskip("moto.s3.responses")
    one_at_a_time, respond = threading.Lock(), responses.S3Response.key_response

    def whole(self: Any, *request: Any) -> Any:
        with one_at_a_time:
            return respond(self, *request)

    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(responses.S3Response, "key_response", whole)
        running.start()
        host, port = running.get_host_and_port()
        yield f"http://{host}:{port}"
        running.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket of this test's own. Child processes reach it, too."""
    boto3, s3fs = pytest.importorskip("boto3"), pytest.importorskip("s3fs")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_server, "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    made = Bucket(f"test-{uuid4().hex}", boto3.client("s3"))
    made.client.create_bucket(Bucket=made.name)
    yield made
    made.client.close()
    s3fs.S3FileSystem.clear_instance_cache()
