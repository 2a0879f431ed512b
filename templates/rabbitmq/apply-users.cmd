---
title: Enable certificate logins and add the certificate users
requirements: [RMQ-15, RMQ-16, STEP-19, DEF-75, DEF-77, DEF-87, DEF-88, DEF-89, DEF-90, DEF-91, DEF-98]
scope: server
when: rabbitmq is defined
path: rabbitmq/apply-users.cmd
format: cmd
effect: run_script
phase: rabbitmq
order: 20
breaks: [callbacks]
rollback: rabbitmq/rollback-rabbitmq.cmd
runbook:
  before:
    - '`preflight.cmd` has ended with success in this change window; RabbitMQ runs with its old files.'
    - 'A user that exists already loses its password for good; preflight saves its tags and permissions, not the password.'
  do: ['Run `servers\{{ server.name }}\rabbitmq\apply-users.cmd` as administrator. It may be run again.']
  check: ['The list it prints has {% for user in server.rabbitmq.users %}{{ user.name | md_code }} (certificate of {{ user.servers | join(sep=", ") }}){% if not loop.last %}, {% endif %}{% endfor %} with `.*` three times.']
---
{% set script_title = "Enables certificate logins and adds the users that certificates log in as" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Run servers\\" ~ server.name ~ "\\rabbitmq\\rollback-rabbitmq.cmd to go back." -%}
{% include "rabbitmq/_rabbitmq/head" %}
{%- include "rabbitmq/_rabbitmq/captured" %}

set "STEP=enable the plugin rabbitmq_auth_mechanism_ssl"
call "%PLUGINS%" -q enable rabbitmq_auth_mechanism_ssl
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that the file of the service names the plugin"
"%SYSTEM%\findstr.exe" /c:"rabbitmq_auth_mechanism_ssl" "%RABBITMQ_BASE%\enabled_plugins" >nul
if not "%errorlevel%"=="0" goto :fail
{% for user in server.rabbitmq.users %}
rem unchecked: it fails for a user that exists; taking the password away is the check
call "%CTL%" -q add_user {{ user.name | cmd_call_arg }} "%RANDOM%%RANDOM%%RANDOM%%RANDOM%%RANDOM%%RANDOM%" >nul 2>&1
set "STEP=take the password of {{ user.name | cmd_set }} away, so that only a certificate logs in"
call "%CTL%" -q clear_password {{ user.name | cmd_call_arg }}
if not "%errorlevel%"=="0" goto :fail
set "STEP=set the tags of {{ user.name | cmd_set }}"
call "%CTL%" -q set_user_tags {{ user.name | cmd_call_arg }}{% for tag in rabbitmq.user_tags %} {{ tag }}{% endfor %}
if not "%errorlevel%"=="0" goto :fail
set "STEP=set the permissions of {{ user.name | cmd_set }}"
call "%CTL%" -q set_permissions -p / {{ user.name | cmd_call_arg }} ".*" ".*" ".*"
if not "%errorlevel%"=="0" goto :fail
{% endfor %}
set "STEP=list the permissions"
call "%CTL%" -q list_permissions -p /
if not "%errorlevel%"=="0" goto :fail

echo The certificate users are in place.
endlocal
exit /b 0
{% include "rabbitmq/_rabbitmq/service" %}
{% include "_cmd/tail" %}
