"""The rights that the manifest grants are those that the client has a use for: no more, no fewer."""

from __future__ import annotations

import pytest
import yaml

from gpufleet.kubernetes import api
from gpufleet.kubernetes.rights import MANIFEST, RIGHTS
from tests.support.api_server import USER, granted

DOCUMENTS = {document["kind"]: document for document in yaml.safe_load_all(MANIFEST.read_text())}


def test_the_manifest_grants_exactly_them() -> None:
    assert granted() == {(right.group, right.resource, right.verb) for right in RIGHTS}


def test_no_rule_is_wider_than_its_words() -> None:
    rules = DOCUMENTS["ClusterRole"]["rules"]
    assert all(rule.keys() == {"apiGroups", "resources", "verbs"} for rule in rules)
    assert not any("*" in words for rule in rules for words in rule.values())


def test_the_client_can_ask_for_nothing_else() -> None:
    info = api._NodeResource._api_info
    assert {("", info.plural, verb) for verb in info.verbs or ()} == granted()


@pytest.mark.parametrize("verb", ["list", "watch", "put", "delete", "post", "deletecollection"])
def test_the_library_refuses_what_is_not_in_the_table(verb: str) -> None:
    assert verb not in (api._NodeResource._api_info.verbs or ())


def test_they_are_bound_to_one_account() -> None:
    binding, account = DOCUMENTS["ClusterRoleBinding"], DOCUMENTS["ServiceAccount"]["metadata"]
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": DOCUMENTS["ClusterRole"]["metadata"]["name"],
    }
    assert binding["subjects"] == [{"kind": "ServiceAccount", **account}]
    assert f"system:serviceaccount:{account['namespace']}:{account['name']}" == USER
    assert DOCUMENTS["Namespace"]["metadata"]["name"] == account["namespace"]
    assert DOCUMENTS["ServiceAccount"]["automountServiceAccountToken"] is False
