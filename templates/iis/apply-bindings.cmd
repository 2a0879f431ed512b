---
title: IIS listens on 127.0.0.1 only
requirements: [IIS-1, IIS-2, HARD-5, STEP-8, DEF-22, DEF-23, DEF-24, DEF-103, PORT-6]
scope: server
when: server.is_management
path: iis/apply-bindings.cmd
target: 'IIS site {{ iis.site }}'
format: cmd
effect: run_script
phase: iis
order: 50
breaks: [callbacks, web_pages]
rollback: iis/rollback-bindings.cmd
runbook:
  before:
    - 'From here on nothing of this server answers outside until the proxy starts. Have `servers\{{ server.name }}\proxy\start-proxy.cmd` ready.'
    - '{% if rabbitmq is defined %}RabbitMQ has its new configuration on every server.{% else %}IIS runs.{% endif %}'
    - 'No other site of this IIS must be reachable from outside through the same ports.'
  do:
    - 'Run `servers\{{ server.name }}\iis\apply-bindings.cmd`. It starts IIS where it stands still, lists the bindings of {{ iis.site | md_code }} first, adds `127.0.0.1:80`, then removes `*:80`{% if proxy.standard_port %} and `*:443`{% endif %}.{% if rabbitmq is defined %} Start again what stopped together with IIS, as it was noted then.{% endif %}'
  check:
    - 'The script ends with `IIS listens on 127.0.0.1 only`, and `http://127.0.0.1/VHQMWS/VHQMWS.asmx` answers with status 200 on this server.'
  undo:
    - 'Run `servers\{{ server.name }}\iis\rollback-bindings.cmd`: it restores every binding that was there before and is not there now, and removes the one that was added. Stop the proxy first when it holds port {{ proxy.https_port }}.'
    - 'Last resort, for all of IIS: `appcmd restore backup` with the backup the script made; it also takes back later work of others.'
---
{% set script_title = "Binds the IIS site to 127.0.0.1 and frees the port of the proxy" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\iis\\rollback-bindings.cmd to go back." -%}
{% set state_name = "bindings" -%}
{% set backup_name = "cbgen-" ~ bundle.name ~ "-" ~ bundle.version ~ "-bindings" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}

rem The runbook may have stopped IIS. Here it has to run again, before anyone waits for an answer.
set "STEP=start IIS"
call :start_service W3SVC
if not "%errorlevel%"=="0" goto :fail
{% include "iis/_iis/site" %}
set "STEP=list the bindings"
call :bindings
if not "%errorlevel%"=="0" goto :fail
echo Bindings now: %BINDINGS%

rem The first run saves the bindings of before; a later run must not save its own over them.
if exist "%STATE%\captured.txt" goto :captured
{% include "iis/_iis/backup" %}
set "STEP=save the bindings"
copy /y "%STATE%\now.txt" "%STATE%\bindings.txt" >nul
if not "%errorlevel%"=="0" goto :fail
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=add the binding 127.0.0.1:80"
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\now.txt" >nul
if "%errorlevel%"=="0" goto :local_ready
if not "%errorlevel%"=="1" goto :fail
"%APPCMD%" set site "/site.name:%SITE%" "/+bindings.[protocol='http',bindingInformation='127.0.0.1:80:']"
if not "%errorlevel%"=="0" goto :fail
:local_ready

set "STEP=remove the binding *:80"
"%SYSTEM%\findstr.exe" /l /c:",http/*:80:," "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :http_gone
if not "%errorlevel%"=="0" goto :fail
"%APPCMD%" set site "/site.name:%SITE%" "/-bindings.[protocol='http',bindingInformation='*:80:']"
if not "%errorlevel%"=="0" goto :fail
:http_gone
{% if proxy.standard_port %}
set "STEP=remove the binding *:443"
"%SYSTEM%\findstr.exe" /l /c:",https/*:443:," "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :https_gone
if not "%errorlevel%"=="0" goto :fail
"%APPCMD%" set site "/site.name:%SITE%" "/-bindings.[protocol='https',bindingInformation='*:443:']"
if not "%errorlevel%"=="0" goto :fail
:https_gone
{% endif %}
set "STEP=read the bindings back"
call :bindings
if not "%errorlevel%"=="0" goto :fail
echo Bindings now: %BINDINGS%
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\now.txt" >nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:"/*:80:" /c:"]:80:" /c:":{{ proxy.https_port }}:" "%STATE%\now.txt" >nul
if "%errorlevel%"=="0" goto :left_over
if not "%errorlevel%"=="1" goto :fail
rem An address that does not begin with 127.
"%SYSTEM%\findstr.exe" /r /c:"/[02-9][0-9.]*:80:" /c:"/1[013-9.][0-9.]*:80:" /c:"/12[0-689.][0-9.]*:80:" "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :no_left_over
if not "%errorlevel%"=="0" goto :fail
:left_over
echo A binding with a host name or an address of its own is left on port 80 or {{ proxy.https_port }}.
echo Note it, remove it in IIS Manager, then run this script again.
goto :fail
:no_left_over
{% if proxy.standard_port -%}
echo IIS listens on 127.0.0.1 only.
{% else -%}
echo IIS listens on 127.0.0.1 only on port 80. A binding for port 443 stays: the proxy uses port {{ proxy.https_port }}.
{% endif -%}
endlocal
exit /b 0
{% include "iis/_iis/bindings" %}
{%- include "_cmd/start_service" %}
{% include "_cmd/tail" %}
