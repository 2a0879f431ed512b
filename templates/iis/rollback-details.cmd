---
title: Show details to local visitors as before
requirements: [DEF-103]
scope: server
when: server.is_management
path: iis/rollback-details.cmd
format: cmd
effect: run_script
phase: iis
order: 53
rollback: none
---
{% set script_title = "Restores what apply-details.cmd changed" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again." -%}
{% set state_name = "details" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
{% include "iis/_iis/site" %}
{% for row in [["system.webServer/httpErrors", "errorMode"], ["system.web/customErrors", "mode"], ["system.web/trace", "enabled"]] -%}
set "STEP=read the saved {{ row[1] }}"
if not exist "%STATE%\{{ row[1] }}.txt" goto :fail
set "SAVED="
for /f "usebackq delims=" %%A in ("%STATE%\{{ row[1] }}.txt") do set "SAVED=%%A"
if not defined SAVED goto :fail
set "STEP=restore {{ row[1] }} of {{ row[0] | cmd_set }}"
"%APPCMD%" set config "%SITE%" "-section:{{ row[0] | cmd_set }}" "-{{ row[1] }}:%SAVED%"{% if row[1] == "errorMode" %} /commit:apphost{% endif %}
if not "%errorlevel%"=="0" goto :fail
call :setting "%SITE%" {{ row[0] | cmd_call_arg }} {{ row[1] }}
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="%SAVED%" goto :fail
{% endfor -%}
set "STEP=see whether test pages called web services before"
"%SYSTEM%\findstr.exe" /l /c:"HttpPostLocalhost" "%STATE%\protocols.txt" >nul
if "%errorlevel%"=="1" goto :no_test_pages
if not "%errorlevel%"=="0" goto :fail
set "STEP=see whether they do now"
"%APPCMD%" list config "%SITE%" -section:system.web/webServices >"%STATE%\now.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:"HttpPostLocalhost" "%STATE%\now.txt" >nul
if "%errorlevel%"=="0" goto :no_test_pages
if not "%errorlevel%"=="1" goto :fail
set "STEP=let test pages call web services again"
"%APPCMD%" set config "%SITE%" -section:system.web/webServices "/+protocols.[name='HttpPostLocalhost']"
if not "%errorlevel%"=="0" goto :fail
:no_test_pages
{% include "_cmd/back" %}
echo Local visitors see what they saw before.
endlocal
exit /b 0
{% include "iis/_iis/setting" %}
{% include "_cmd/tail" %}
