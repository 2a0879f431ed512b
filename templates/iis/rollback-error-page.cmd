---
title: Restore the error page settings of IIS
requirements: [DEF-103]
scope: server
when: server.is_management and iis.custom_error_page
path: iis/rollback-error-page.cmd
format: cmd
effect: run_script
phase: iis
order: 66
rollback: none
---
{% set script_title = "Restores the error page settings of before apply-error-page.cmd" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again." -%}
{% set state_name = "error-page" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
{% include "iis/_iis/site" %}
set "STEP=read the saved values"
{% for pair in [["errorMode", "MODE"], ["defaultResponseMode", "RESPONSE"], ["defaultPath", "PAGE"]] -%}
if not exist "%STATE%\{{ pair[0] }}.txt" goto :fail
set "{{ pair[1] }}="
for /f "usebackq delims=" %%A in ("%STATE%\{{ pair[0] }}.txt") do set "{{ pair[1] }}=%%A"
{% endfor -%}
set "STEP=restore the section"
"%APPCMD%" set config "%SITE%" -section:system.webServer/httpErrors "-errorMode:%MODE%" "-defaultResponseMode:%RESPONSE%" "-defaultPath:%PAGE%" /commit:apphost
if not "%errorlevel%"=="0" goto :fail
{% for pair in [["errorMode", "MODE"], ["defaultResponseMode", "RESPONSE"], ["defaultPath", "PAGE"]] -%}
set "STEP=read {{ pair[0] }} back"
call :attribute "{{ pair[0] }}"
if not "%errorlevel%"=="0" goto :fail
if not "%VALUE%"=="%{{ pair[1] }}%" goto :fail
{% endfor -%}
{% include "_cmd/back" %}
echo The settings of before are back.
endlocal
exit /b 0
{% include "iis/_iis/error_page" %}
{% include "_cmd/tail" %}
