---
title: Lead the federation upstreams over TLS
requirements: [RMQ-14, RMQ-17, RMQ-18, RMQ-19, STEP-19, DEF-71, DEF-84, DEF-86, DEF-92, DEF-93, DEF-95, DEF-96]
scope: server
when: rabbitmq is defined and server.rabbitmq.upstreams | length > 0
path: rabbitmq/apply-upstreams.cmd
format: cmd
effect: run_script
phase: rabbitmq
order: 30
breaks: [callbacks]
rollback: rabbitmq/rollback-rabbitmq.cmd
runbook:
  before: ['`preflight.cmd` has ended with success; it saved the old definitions, which this script replaces as a whole.']
  do: ['Run `servers\{{ server.name }}\rabbitmq\apply-upstreams.cmd` as administrator. It may be run again.']
  check:
    - 'The list it prints has {% for upstream in server.rabbitmq.upstreams %}{{ upstream.name | md_code }} to {{ upstream.host }}{% if not loop.last %}, {% endif %}{% endfor %}, each with an address that begins with `amqps://`.'
    - 'The links stay down until the other brokers have their new configuration too.'
---
{% set script_title = "Replaces the federation upstreams by ones that use TLS" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Run servers\\" ~ server.name ~ "\\rabbitmq\\rollback-rabbitmq.cmd to go back." -%}
{% include "rabbitmq/_rabbitmq/head" %}
{%- include "rabbitmq/_rabbitmq/captured" %}
{% for upstream in server.rabbitmq.upstreams %}
set "STEP=set the upstream {{ upstream.name | cmd_set }}"
call "%CTL%" -q set_parameter -p / federation-upstream {{ upstream.name | cmd_call_arg }} {{ upstream.definition | cmd_call_json }}
if not "%errorlevel%"=="0" goto :fail
{% endfor %}
set "STEP=list the parameters"
call "%CTL%" -q list_parameters -p / >"%STATE%\parameters-new.txt"
if not "%errorlevel%"=="0" goto :fail
type "%STATE%\parameters-new.txt"
if not "%errorlevel%"=="0" goto :fail
{%- for upstream in server.rabbitmq.upstreams %}
set "STEP=find the upstream {{ upstream.name | cmd_set }} with its new address in the list"
"%SYSTEM%\findstr.exe" /l /c:"{{ upstream.name | cmd_set }}" "%STATE%\parameters-new.txt" >"%STATE%\upstream.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:"amqps://{{ upstream.host | cmd_set }}" "%STATE%\upstream.txt" >nul
if not "%errorlevel%"=="0" goto :fail
{%- endfor %}

echo The federation upstreams are in place.
endlocal
exit /b 0
{% include "rabbitmq/_rabbitmq/service" %}
{% include "_cmd/tail" %}
