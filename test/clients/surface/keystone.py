"""Calls every method of every manager of python3-keystoneclient's v3 client. Prints a line of JSON for each: {"method": ..., "error": null or text},
error "not tried" for those that no step calls.

Reads OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME.
"""

import json
import os

from keystoneauth1 import session
from keystoneauth1.identity import v3
from keystoneclient import base, exceptions
from keystoneclient.v3 import client

said = {}


def login(username, password, project=None, **more):
    scope = {"project_name": project, "project_domain_id": "default"} if project else {}
    auth = v3.Password(
        auth_url=os.environ["OS_AUTH_URL"], username=username, password=password, user_domain_id="default", **scope, **more
    )
    return client.Client(session=session.Session(auth=auth), endpoint_override=os.environ["OS_AUTH_URL"])


class Watched:
    """A manager that notes what became of each call."""

    def __init__(self, name, manager):
        self._name, self._manager = name, manager

    def __getattr__(self, method):
        name, real = f"{self._name}.{method}", getattr(self._manager, method)

        def call(*args, **kwargs):
            try:
                result = real(*args, **kwargs)
            except Exception as error:
                said[name] = repr(error)
                raise
            said.setdefault(name, None)
            return result

        return call


def managers(keystone):
    found = {name: value for name, value in vars(keystone).items() if isinstance(value, base.Manager)}
    for group in ("federation", "oauth1"):
        for name, value in vars(getattr(keystone, group)).items():
            if isinstance(value, base.Manager):
                found[f"{group}.{name}"] = value
    found["simple_cert"] = keystone.simple_cert
    found["tokens"] = keystone.tokens
    return found


def own_methods(manager):
    """What the v3 client itself says of the manager; what it says is not offered (MethodNotImplemented) is found by asking."""
    inner = {"resource_class", "build_url", "build_key_only_query"}
    classes = [one for one in type(manager).__mro__ if one.__module__.startswith("keystoneclient.v3")]
    return sorted({name for one in classes for name in vars(one) if not name.startswith("_") and callable(getattr(one, name))} - inner)


class World:
    """The managers by name: `world.users.create(...)`."""

    def __init__(self, keystone):
        for name, manager in managers(keystone).items():
            setattr(self, name, Watched(name, manager))
        self.user_id = keystone.session.get_user_id()
        self.project_id = keystone.session.get_project_id()


def domains(k):
    d = k.domains.create("kd", description="one")
    assert k.domains.update(d, description="two").description == "two"
    assert k.domains.get(d.id).name == "kd"
    assert d.id in [one.id for one in k.domains.list()]
    config = {"identity": {"driver": "ldap"}, "ldap": {"url": "ldap://192.0.2.1", "user_tree_dn": "dc=x"}}
    k.domain_configs.create(d, config)
    assert k.domain_configs.get(d).ldap["url"] == "ldap://192.0.2.1"
    assert k.domain_configs.update(d, {"ldap": {"url": "ldap://192.0.2.2"}}).ldap["url"] == "ldap://192.0.2.2"
    k.domain_configs.delete(d)
    k.domains.update(d, enabled=False)
    k.domains.delete(d)


def projects(k):
    p = k.projects.create("kp", "default", description="one")
    child = k.projects.create("kc", "default", parent=p)
    assert k.projects.update(p, description="two").description == "two"
    assert [one.id for one in k.projects.list(parent=p)] == [child.id]
    assert list(k.projects.get(p.id, subtree_as_ids=True).subtree) == [child.id]
    assert k.projects.find(name="kp").id == p.id
    k.projects.add_tag(p, "blue")
    assert k.projects.check_tag(p, "blue")
    k.projects.update_tags(p, ["red", "green"])
    assert sorted(k.projects.list_tags(p)) == ["green", "red"]
    k.projects.delete_tag(p, "red")
    assert not k.projects.check_tag(p, "red")
    k.projects.delete(child)
    k.projects.delete(p)


def users(k):
    u = k.users.create("ku", domain="default", password="one")
    assert k.users.update(u, email="u@example.test").email == "u@example.test"
    assert k.users.get(u.id).name == "ku"
    assert u.id in [one.id for one in k.users.list(domain="default")]
    g = k.groups.create("kg", domain="default")
    assert k.groups.update(g, description="two").description == "two"
    assert k.groups.get(g.id).name == "kg"
    k.users.add_to_group(u, g)
    assert k.users.check_in_group(u, g)
    assert [one.id for one in k.groups.list(user=u)] == [g.id]
    k.users.remove_from_group(u, g)
    Watched("users", login("ku", "one").users).update_password("one", "two")
    assert login("ku", "two").session.get_token()
    k.groups.delete(g)
    k.users.delete(u)


def roles(k):
    a, b = k.roles.create("ka"), k.roles.create("kb")
    assert k.roles.update(a, name="kaa").name == "kaa"
    assert k.roles.get(a.id).name == "kaa"
    u = k.users.create("kr", domain="default", password="one")
    k.roles.grant(a, user=u, project=k.project_id)
    assert k.roles.check(a, user=u, project=k.project_id)
    assert [one.id for one in k.roles.list(user=u, project=k.project_id)] == [a.id]
    assert len(k.role_assignments.list(user=u, include_names=True)) == 1
    k.roles.revoke(a, user=u, project=k.project_id)
    assert k.role_assignments.list(user=u) == []
    k.roles.create_implied(a, b)
    assert k.roles.check_implied(a, b)
    k.roles.get_implied(a, b)
    assert k.roles.list_role_inferences()
    k.roles.delete_implied(a, b)
    k.inference_rules.create(a, b)
    assert k.inference_rules.check(a, b)
    assert k.inference_rules.get(a, b).implies["id"] == b.id
    assert [one["id"] for one in k.inference_rules.list(a).implies] == [b.id]
    assert k.inference_rules.list_inference_roles()
    k.inference_rules.delete(a, b)
    k.users.delete(u)
    k.roles.delete(a)
    k.roles.delete(b)


def catalog(k):
    s = k.services.create("ks", type="walk", description="one")
    assert k.services.update(s, description="two").description == "two"
    assert k.services.get(s.id).type == "walk"
    assert [one.id for one in k.services.list(type="walk")] == [s.id]
    r = k.regions.create("KR", description="one")
    assert k.regions.update(r, description="two").description == "two"
    assert k.regions.get("KR").id in [one.id for one in k.regions.list()]
    e = k.endpoints.create(s, "http://192.0.2.9/a", interface="public", region="KR")
    assert k.endpoints.update(e, url="http://192.0.2.9/b").url == "http://192.0.2.9/b"
    assert k.endpoints.get(e.id).url == "http://192.0.2.9/b"
    assert [one.id for one in k.endpoints.list(service=s)] == [e.id]
    filters(k, s, e)
    policies(k, s, r, e)
    k.endpoints.delete(e)
    k.regions.delete(r)
    k.services.delete(s)


def filters(k, s, e):
    p, f = k.projects.create("kf", "default"), k.endpoint_filter
    f.add_endpoint_to_project(p, e)
    f.check_endpoint_in_project(p, e)
    assert [one.id for one in f.list_endpoints_for_project(p)] == [e.id]
    assert [one.id for one in f.list_projects_for_endpoint(e)] == [p.id]
    f.delete_endpoint_from_project(p, e)
    g = k.endpoint_groups.create("kg", {"service_id": s.id})
    assert k.endpoint_groups.update(g, description="two").description == "two"
    assert k.endpoint_groups.get(g.id).name == "kg"
    k.endpoint_groups.check(g.id)
    assert g.id in [one.id for one in k.endpoint_groups.list()]
    f.add_endpoint_group_to_project(g, p)
    f.check_endpoint_group_in_project(g, p)
    assert [one.id for one in f.list_endpoint_groups_for_project(p)] == [g.id]
    assert [one.id for one in f.list_projects_for_endpoint_group(g)] == [p.id]
    f.delete_endpoint_group_from_project(g, p)
    k.endpoint_groups.delete(g)
    k.projects.delete(p)


def policies(k, s, r, e):
    p, e_p = k.policies.create('{"a": "b"}'), k.endpoint_policy
    assert k.policies.update(p, blob='{"a": "c"}').blob == '{"a": "c"}'
    assert k.policies.get(p.id).id in [one.id for one in k.policies.list()]
    e_p.create_policy_association_for_endpoint(p, e)
    e_p.check_policy_association_for_endpoint(p, e)
    assert e_p.get_policy_for_endpoint(e).id == p.id
    assert [one.id for one in e_p.list_endpoints_for_policy(p)] == [e.id]
    e_p.delete_policy_association_for_endpoint(p, e)
    e_p.create_policy_association_for_service(p, s)
    e_p.check_policy_association_for_service(p, s)
    e_p.delete_policy_association_for_service(p, s)
    e_p.create_policy_association_for_region_and_service(p, r, s)
    e_p.check_policy_association_for_region_and_service(p, r, s)
    e_p.delete_policy_association_for_region_and_service(p, r, s)
    k.policies.delete(p)


def credentials(k):
    c = k.credentials.create(k.user_id, "cert", "one")
    assert k.credentials.update(c, k.user_id, type="cert", blob="two").blob == "two"
    assert k.credentials.get(c.id).id in [one.id for one in k.credentials.list(user_id=k.user_id)]
    k.credentials.delete(c)
    e = k.ec2.create(k.user_id, k.project_id)
    assert k.ec2.get(k.user_id, e.access).secret == e.secret
    assert e.access in [one.access for one in k.ec2.list(k.user_id)]
    k.ec2.delete(k.user_id, e.access)


def application_credentials(k):
    rules = [{"service": "identity", "method": "GET", "path": "/v3/x"}]
    a = k.application_credentials.create("ka", secret="s", access_rules=rules)
    assert k.application_credentials.get(a.id).name == "ka"
    assert a.id in [one.id for one in k.application_credentials.list()]
    assert k.application_credentials.find(name="ka").id == a.id
    rule = k.access_rules.list()[0]
    assert k.access_rules.get(rule.id).path == "/v3/x"
    assert k.access_rules.find(path="/v3/x").id == rule.id
    k.application_credentials.delete(a)
    k.access_rules.delete(rule)


def trusts(k):
    u = k.users.create("kt", domain="default", password="one")
    t = k.trusts.create(u, k.user_id, role_names=["member"], project=k.project_id, impersonation=True, remaining_uses=2)
    assert k.trusts.get(t.id).remaining_uses == 2
    assert [one.id for one in k.trusts.list(trustor_user=k.user_id)] == [t.id]
    k.trusts.delete(t)
    k.users.delete(u)


def limits(k):
    s = k.services.list(type="image")[0]
    r = k.registered_limits.create(s, "keys", 10)
    r = r[0] if isinstance(r, list) else r
    assert k.registered_limits.update(r, default_limit=20).default_limit == 20
    assert k.registered_limits.get(r).id in [one.id for one in k.registered_limits.list(service=s)]
    made = k.limits.create(k.project_id, s, "keys", 15)
    made = made[0] if isinstance(made, list) else made
    assert k.limits.update(made, resource_limit=16).resource_limit == 16
    assert k.limits.get(made).id in [one.id for one in k.limits.list(service=s)]
    k.limits.delete(made)
    k.registered_limits.delete(r)


def auth(k):
    assert k.auth.projects() and k.auth.domains() is not None and k.auth.systems() is not None
    token = login(*who).session.get_token()
    assert k.tokens.validate(token).user_id == k.user_id
    assert k.tokens.get_token_data(token)["token"]["user"]["id"] == k.user_id
    k.tokens.revoke_token(token)


def untried(manager, method):
    """Many methods only say that the library has none of that kind."""
    try:
        getattr(manager, method)()
    except exceptions.MethodNotImplemented:
        return "not in the library"
    except Exception:
        pass
    return "not tried"


who = (os.environ["OS_USERNAME"], os.environ["OS_PASSWORD"], os.environ["OS_PROJECT_NAME"])
keystone = login(*who)
world = World(keystone)
for step in (domains, projects, users, roles, catalog, credentials, application_credentials, trusts, limits, auth):
    try:
        step(world)
    except Exception as error:
        print(json.dumps({"method": f"({step.__name__})", "error": repr(error)}))
for name, manager in managers(keystone).items():
    for method in own_methods(manager):
        key = f"{name}.{method}"
        print(json.dumps({"method": key, "error": said[key] if key in said else untried(manager, method)}))
