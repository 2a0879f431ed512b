---
title: IIS shows one error page instead of details
requirements: [IIS-5, HARD-2, STEP-22, PRE-20, DEF-23, DEF-60, DEF-102, DEF-103]
scope: server
when: server.is_management and iis.custom_error_page
path: iis/apply-error-page.cmd
target: 'IIS site {{ iis.site }}, section httpErrors'
format: cmd
effect: run_script
phase: iis
order: 64
rollback: iis/rollback-error-page.cmd
runbook:
  before:
    - 'The page {% if iis.error_page_url == proxy.origin ~ "/EyeQueue/EyeQErrorPage.aspx" %}`http://127.0.0.1/EyeQueue/EyeQErrorPage.aspx` opened in a browser on this server when the notes of before were written, and users will get it as {% endif %}{{ iis.error_page_url | md_code }}{% if iis.error_page_url != proxy.origin ~ "/EyeQueue/EyeQErrorPage.aspx" %} opens in a browser{% endif %}: a redirect to a page that does not exist would be worse than the details.'
  do:
    - 'Run `servers\{{ server.name }}\iis\apply-error-page.cmd`. It writes to applicationHost.config, because the section is locked for web.config files.'
  check:
    - 'The script ends with `The error page is set`. Status codes with an error entry of their own keep it.'
  undo:
    - 'Run `servers\{{ server.name }}\iis\rollback-error-page.cmd`.'
    - 'Last resort, for all of IIS: `appcmd restore backup` with the backup the script made; it also takes back later work of others.'
---
{% set script_title = "Sets the error page of the IIS site" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\iis\\rollback-error-page.cmd to go back." -%}
{% set state_name = "error-page" -%}
{% set backup_name = "cbgen-" ~ bundle.name ~ "-" ~ bundle.version ~ "-error-page" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
{% include "iis/_iis/site" %}
rem The first run saves the values of before; a later run must not save its own over them.
if exist "%STATE%\captured.txt" goto :captured
{% include "iis/_iis/backup" %}
{% for name in ["errorMode", "defaultResponseMode", "defaultPath"] -%}
set "STEP=save {{ name }}"
call :attribute "{{ name }}"
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now.txt" "%STATE%\{{ name }}.txt" >nul
if not "%errorlevel%"=="0" goto :fail
{% endfor -%}
set "STEP=note that the old values are saved"
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=set the error page"
"%APPCMD%" set config "%SITE%" -section:system.webServer/httpErrors -errorMode:"Custom" -defaultResponseMode:"Redirect" -defaultPath:{{ iis.error_page_url | cmd_arg }} /commit:apphost
if not "%errorlevel%"=="0" goto :fail

{% for pair in [["errorMode", "Custom"], ["defaultResponseMode", "Redirect"], ["defaultPath", iis.error_page_url]] -%}
set "STEP=read {{ pair[0] }} back"
call :attribute "{{ pair[0] }}"
if not "%errorlevel%"=="0" goto :fail
if not "%VALUE%"=={{ pair[1] | cmd_arg }} goto :fail
{% endfor -%}
echo The error page is set.
endlocal
exit /b 0
{% include "iis/_iis/error_page" %}
{% include "_cmd/tail" %}
