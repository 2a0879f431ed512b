---
title: Open and close ports of this server
requirements: [DEF-6, DEF-56, DEF-4, DEF-8, HARD-5, DEF-103, DEF-112]
scope: server
when: network.firewall
path: firewall/apply-firewall.cmd
target: Windows Firewall
format: cmd
effect: run_script
phase: registry
order: 50
breaks: [callbacks, web_pages]
rollback: firewall/rollback-firewall.cmd
runbook:
  before:
    - 'The port table of this server in this runbook is agreed upon. A blocking rule wins over every allowing rule, also over those of others.'
    - '{% if network.callback_addresses is defined %}Ports between Callback servers open for {{ network.callback_addresses | join(sep=", ") | md_code }} only.{% else %}Ports between Callback servers open for the addresses the names of the other servers have in DNS on this night. With several network cards or changing addresses write `network.callback_addresses` instead.{% endif %}'
    - 'Rules of an earlier version whose port is no longer listed stay; run `servers\{{ server.name }}\firewall\rollback-firewall.cmd` of that version first.'
  do:
    - 'Run `servers\{{ server.name }}\firewall\apply-firewall.cmd`. All its rules are called {{ ("cbgen " ~ bundle.name ~ " ...") | md_code }}.'
  check:
    - 'The script ends with `All rules are in place`.'
  undo:
    - 'Run `servers\{{ server.name }}\firewall\rollback-firewall.cmd`: it deletes exactly these rules.'
---
{% set script_title = "Adds the firewall rules of this server" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\firewall\\rollback-firewall.cmd to go back." -%}
{% set state_name = "firewall" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
set "NETSH=%SYSTEM%\netsh.exe"
set "STEP=see that the firewall is on and takes rules of this server"
{% include "_cmd/firewall_state" %}if "%errorlevel%"=="3" goto :firewall_off
if "%errorlevel%"=="4" goto :policy
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that the firewall answers"
rem Without its service every question fails, as if no rule were there.
"%NETSH%" advfirewall show currentprofile >nul
if not "%errorlevel%"=="0" goto :fail
{% if network.callback_addresses is defined -%}
set "PEERS={{ network.callback_addresses | join(sep=",") | cmd_set }}"
{% else -%}
{% include "_cmd/state" %}
set "PEERS="
{% for other in servers -%}
set "STEP=find the addresses of {{ other.name }}"
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "[Net.Dns]::GetHostAddresses('{{ other.fqdn }}') | Where-Object { -not $_.IsIPv6LinkLocal } | ForEach-Object { $_.IPAddressToString }" >"%STATE%\addresses.txt"
if not "%errorlevel%"=="0" goto :no_address
set "FOUND="
for /f "usebackq" %%A in ("%STATE%\addresses.txt") do call :peer "%%A"
if not defined FOUND goto :no_address
{% endfor -%}
{% endif -%}
echo Ports between Callback servers open for: %PEERS%
{% for row in server.ports -%}
{% if row.direction != "outbound" and row.port != "dynamic" -%}
{% set action = "block" if row.local_only else "allow" -%}
{% set rule = "cbgen " ~ bundle.name ~ " " ~ action ~ " " ~ row.port ~ " " ~ row.application %}
rem {{ row.purpose | cmd_rem }}
set "STEP={{ action }} port {{ row.port }} for {{ row.application | cmd_set }}"
"%NETSH%" advfirewall firewall show rule name={{ rule | cmd_arg }} >nul
if not "%errorlevel%"=="0" goto :new_{{ loop.index }}
"%NETSH%" advfirewall firewall delete rule name={{ rule | cmd_arg }} >nul
if not "%errorlevel%"=="0" goto :fail
:new_{{ loop.index }}
"%NETSH%" advfirewall firewall add rule name={{ rule | cmd_arg }} dir=in action={{ action }} enable=yes profile=any protocol={{ row.protocol }} localport={{ row.port }}{% if row.callback_only %} "remoteip=%PEERS%"{% endif %} >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name={{ rule | cmd_arg }} >nul
if not "%errorlevel%"=="0" goto :fail
{% elif row.direction != "outbound" %}
echo NOTE: {{ row.application | cmd_echo }} has no fixed port range in the inventory, so it has no rule. Set network.erlang_ports.
{% endif -%}
{% endfor %}
echo All rules are in place.
endlocal
exit /b 0

:firewall_off
echo The firewall of Windows is off for at least one kind of network, so rules would protect nothing there. Switch it on.
goto :fail
:policy
echo A policy of the domain makes the firewall ignore rules of this server. Ask for these rules in that policy.
goto :fail
{% if network.callback_addresses is not defined -%}
:no_address
echo The name has no address here. Write the addresses as network.callback_addresses into the inventory.
goto :fail

:peer
set "FOUND=yes"
if defined PEERS goto :further_peer
set "PEERS=%~1"
exit /b 0
:further_peer
set "PEERS=%PEERS%,%~1"
exit /b 0
{% endif -%}
{% include "_cmd/tail" %}
