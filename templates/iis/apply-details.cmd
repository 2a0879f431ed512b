---
title: Nobody sees details, test pages or traces through the proxy
requirements: [HARD-2, IIS-5, DEF-60, DEF-103, DEF-111]
scope: server
when: server.is_management
path: iis/apply-details.cmd
target: 'IIS site {{ iis.site }}, sections httpErrors, customErrors, trace and webServices'
format: cmd
effect: run_script
phase: iis
order: 52
rollback: iis/rollback-details.cmd
runbook:
  before:
    - 'Behind the proxy every visitor comes from this server, so IIS and ASP.NET take each of them for a local one and show what is meant for administrators.'
  do:
    - 'Run `servers\{{ server.name }}\iis\apply-details.cmd`.'
  check:
    - 'The script ends with `Details stay on this server`. Error pages without details are harder to work with: the details are in the event log *Application*.'
  undo:
    - 'Run `servers\{{ server.name }}\iis\rollback-details.cmd`.'
---
{% set script_title = "Hides what IIS and ASP.NET show to local visitors: behind the proxy everybody is one" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\iis\\rollback-details.cmd to go back." -%}
{% set state_name = "details" -%}
{% set backup_name = "cbgen-" ~ bundle.name ~ "-" ~ bundle.version ~ "-details" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
{% include "iis/_iis/site" %}
rem The first run saves the values of before; a later run must not save its own over them.
if exist "%STATE%\captured.txt" goto :captured
{% include "iis/_iis/backup" %}
{% for row in [["system.webServer/httpErrors", "errorMode"], ["system.web/customErrors", "mode"], ["system.web/trace", "enabled"]] -%}
set "STEP=save {{ row[1] }} of {{ row[0] | cmd_set }}"
call :setting "%SITE%" {{ row[0] | cmd_call_arg }} {{ row[1] }}
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now.txt" "%STATE%\{{ row[1] }}.txt" >nul
if not "%errorlevel%"=="0" goto :fail
{% endfor -%}
set "STEP=save whether test pages of web services call them"
"%APPCMD%" list config "%SITE%" -section:system.web/webServices >"%STATE%\protocols.txt"
if not "%errorlevel%"=="0" goto :fail
set "STEP=note that the old values are saved"
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=let IIS show its short error pages to everybody"
"%APPCMD%" set config "%SITE%" -section:system.webServer/httpErrors "-errorMode:Custom" /commit:apphost
if not "%errorlevel%"=="0" goto :fail
set "STEP=let ASP.NET show its short error pages to everybody"
"%APPCMD%" set config "%SITE%" -section:system.web/customErrors "-mode:On"
if not "%errorlevel%"=="0" goto :fail
set "STEP=switch the trace pages of ASP.NET off"
"%APPCMD%" set config "%SITE%" -section:system.web/trace "-enabled:false"
if not "%errorlevel%"=="0" goto :fail
set "STEP=look for test pages that call web services"
"%APPCMD%" list config "%SITE%" -section:system.web/webServices >"%STATE%\now.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:"HttpPostLocalhost" "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :no_test_pages
if not "%errorlevel%"=="0" goto :fail
set "STEP=keep test pages from calling web services"
"%APPCMD%" set config "%SITE%" -section:system.web/webServices "/-protocols.[name='HttpPostLocalhost']"
if not "%errorlevel%"=="0" goto :fail
:no_test_pages
{% for row in [["system.webServer/httpErrors", "errorMode", "Custom"], ["system.web/customErrors", "mode", "On"], ["system.web/trace", "enabled", "false"]] %}
set "STEP=read {{ row[1] }} of {{ row[0] | cmd_set }} back"
call :setting "%SITE%" {{ row[0] | cmd_call_arg }} {{ row[1] }}
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="{{ row[2] }}" goto :fail
{% endfor -%}
rem An application may have its own answer in its web.config, which wins.
{% for application in ["EyeQueue", "VHQMWS", "VHQWatchWS"] -%}
set "STEP=see that {{ application }} shows no details either"
call :setting "%SITE%/{{ application }}" "system.web/customErrors" mode
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="On" goto :own_setting
{% endfor -%}
echo Details stay on this server.
endlocal
exit /b 0

:own_setting
echo The web.config of this application sets customErrors to %VALUE%. Write On there, or remove the element, and run this script again.
goto :fail
{% include "iis/_iis/setting" %}
{% include "_cmd/tail" %}
