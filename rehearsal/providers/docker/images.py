"""Images: found on the engine, never pulled.

A reference by digest is met by the real image, or by a stand-in: an image whose label `dreamseed.stands-in-for` is the
full reference.
"""

from __future__ import annotations

from docker.api.client import APIClient
from docker.errors import APIError, ImageNotFound, NotFound

from rehearsal.providers.docker.properties import Api, filled
from rehearsal.providers.docker.turns import Turn
from rehearsal.providers.seams import Found, RefusedError, Subject
from rehearsal.providers.values import Values, revealed

STANDS_IN_FOR = "dreamseed.stands-in-for"
DIGEST = "@sha256:"
TOKEN = "docker:index/remoteImage:RemoteImage"  # noqa: S105 - a Pulumi type token


def repository_of(reference: str) -> str:
    """A reference without its tag and digest."""
    bare = reference.partition("@")[0]
    head, slash, last = bare.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def inspect_image(api: APIClient, name: str) -> Api:
    """What the engine says of an image; raises `ImageNotFound`."""
    inspect: Api = api.inspect_image(name)  # type: ignore[no-untyped-call] # the stubs say nothing of it
    return inspect


def find_image(api: APIClient, reference: str) -> Api | None:
    """The image under a reference: by id, by name, by digest, or the newest stand-in for it."""
    _, at, digest = reference.partition(DIGEST)
    name = f"{repository_of(reference)}{DIGEST}{digest}" if at else reference
    try:
        return inspect_image(api, name)
    except ImageNotFound:
        listed = api.images(filters={"label": f"{STANDS_IN_FOR}={reference}"})
        if not listed:
            return None
        return inspect_image(api, max(listed, key=lambda image: (image["Created"], image["Id"]))["Id"])


class Images:
    """Create, read and delete of `RemoteImage`."""

    token = TOKEN

    def create(self, api: APIClient, _subject: Subject, inputs: Values, planned: Values, _turn: Turn) -> Found:
        """Find the image."""
        for name in ("build", "platform"):
            if inputs.get(name):
                raise RefusedError(
                    f"{name}: the attached docker provider neither builds nor pulls: leave it out",
                    RefusedError.Kind.UNIMPLEMENTED,
                )
        reference = str(revealed(inputs["name"]))
        image = find_image(api, reference)
        if image is None:
            raise RefusedError(
                f"the engine has no image {reference}, and none with the label {STANDS_IN_FOR}={reference}: pull it "
                "onto the host, or build its stand-in and load it there",
                RefusedError.Kind.NOT_FOUND,
            )
        return Found(image["Id"] + reference, inputs, filled(planned, _outputs(image, reference)))

    def read(self, api: APIClient, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """The image that now stands under the reference; another one shows as another `imageId`."""
        reference = str(revealed(state.get("name") or inputs.get("name") or resource_id))
        image = find_image(api, reference)
        if image is None:
            return None
        kept = inputs or {"name": reference}
        return Found(image["Id"] + reference, kept, kept | state | _outputs(image, reference))

    def update(self, api: APIClient, resource_id: str, inputs: Values, planned: Values, _turn: Turn) -> Values:
        """Only what steers a delete changes in place."""
        found = self.read(api, resource_id, inputs, planned)
        if found is None:
            raise RefusedError(f"the image {inputs['name']} is gone: run `pulumi refresh`", RefusedError.Kind.NOT_FOUND)
        return filled(planned, found.outputs)

    def delete(self, api: APIClient, subject: Subject, _resource_id: str, state: Values, _turn: Turn) -> None:
        """Remove the image unless `keepLocally`; one that a container uses is refused."""
        if revealed(state.get("keepLocally")):
            return
        image = find_image(api, str(revealed(state["name"])))
        if image is None:
            return
        try:
            api.remove_image(image["Id"], force=bool(revealed(state.get("forceRemove"))))
        except NotFound:
            return
        except APIError as error:
            raise RefusedError(
                f"the image of {subject.name} cannot be removed ({error.explanation}): remove the containers that use "
                "it first, or set keepLocally"
            ) from error

    def list(self, api: APIClient) -> list[Found]:
        """Every image of the engine."""
        names = {image["Id"]: (image.get("RepoTags") or [image["Id"]])[0] for image in api.images()}
        return [Found(i + name, {"name": name}, {"name": name, "imageId": i}) for i, name in sorted(names.items())]


def _outputs(image: Api, reference: str) -> Values:
    """`repoDigest` of a stand-in is empty: it came from no registry."""
    repository = repository_of(reference)
    digests = [d for d in image.get("RepoDigests") or [] if repository_of(d) == repository]
    return {"imageId": image["Id"], "repoDigest": digests[0] if digests else ""}
