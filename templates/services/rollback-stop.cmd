---
title: Start the services again that were stopped
requirements: [DEF-103]
scope: server
path: services/rollback-stop.cmd
format: cmd
effect: run_script
phase: stop
order: 6
rollback: none
---
{% set script_title = "Starts the services of Callback that were stopped" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Look into the log of the service that does not start, then run this script again." -%}
{% set state_name = "services" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
{% include "services/_services/start_noted" %}
{% include "_cmd/back" %}
echo Callback runs as before.
endlocal
exit /b 0
{% include "services/_services/start_one" %}
{% include "_cmd/tail" %}
