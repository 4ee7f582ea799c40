"""PagerDuty's own client, unmodified, against a server at BASE: prints one line for each thing it saw."""

import sys
import time

import pagerduty

base, token, routing_key, me = sys.argv[1:5]
api = pagerduty.RestApiV2Client(token, default_from=me, base_url=base + "/pagerduty")
opened = {"statuses[]": ["triggered", "acknowledged"], "date_range": "all"}

# Pages of three: the client follows `more` and `offset` by itself.
incidents = api.list_all("incidents", params={**opened, "limit": 3})
print("open", len(incidents), len({incident["id"] for incident in incidents}))
print("me", api.rget("/users/me")["email"])

one = next(incident for incident in incidents if incident["status"] == "triggered")
wanted = {"id": one["id"], "type": "incident_reference", "status": "acknowledged"}
print("acknowledged", api.rput(one["self"], json=wanted)["status"])
log = {entry["type"] for entry in api.iter_all("/incidents/%s/log_entries" % one["id"])}
print("log", "acknowledge_log_entry" in log, "trigger_log_entry" in log)
print("note", api.rpost("/incidents/%s/notes" % one["id"], json={"content": "by PagerDuty's client"})["content"])
print("service", api.find("services", "checkout")["name"])
try:
    api.rget("/incidents/PNOSUCH")
except pagerduty.HttpError as error:
    print("missing", error.response.status_code)


def status_of(key, wanted):
    """Events are asynchronous: asks until it is so."""
    for _ in range(50):
        found = api.list_all("incidents", params={"incident_key": key, "date_range": "all"})
        states = [incident["status"] for incident in found]
        if states == [wanted]:
            return wanted
        time.sleep(0.2)
    return states


events = pagerduty.EventsApiV2Client(routing_key, base_url=base + "/events")
key = events.trigger("raised by PagerDuty's client", "a test", severity="critical")
print("event", status_of(key, "triggered"))
events.acknowledge(key)
print("event", status_of(key, "acknowledged"))
events.resolve(key)
print("event", status_of(key, "resolved"))
