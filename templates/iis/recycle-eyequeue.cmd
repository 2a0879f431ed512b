---
title: Restart the application pool of EyeQueue
requirements: [IIS-4, STEP-12, HARD-1]
scope: server
when: server.is_management and iis.x_frame_options is defined
path: iis/recycle-eyequeue.cmd
target: EyeQueue application pool
format: cmd
effect: run_script
phase: iis
order: 58
breaks: [web_pages]
rollback: none
runbook:
  before:
    - 'The EyeQueue `web.config` has its X-Frame-Options header.'
  do:
    - 'Run `servers\{{ server.name }}\iis\recycle-eyequeue.cmd`. It asks IIS which pool EyeQueue runs in and recycles that one.'
  check:
    - 'The script ends with `The pool was restarted`.'
  later:
    - 'Reload {{ (server.own_origin ~ "/launchpad") | md_code }} and {{ (server.own_origin ~ "/EyeQueue") | md_code }} in a browser: the developer tools (F12, *Network*) show one `X-Frame-Options` header on EyeQueue, not two.'
---
{% set script_title = "Restarts the application pool of EyeQueue" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Recycle the pool of EyeQueue in IIS Manager instead." -%}
{% set state_name = "eyequeue" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
{% include "iis/_iis/site" %}
set "STEP=find the pool of EyeQueue"
"%APPCMD%" list app "%SITE%/EyeQueue" /text:applicationPool >"%STATE%\pool.txt"
if not "%errorlevel%"=="0" goto :fail
set "POOL="
for /f "usebackq delims=" %%A in ("%STATE%\pool.txt") do set "POOL=%%A"
if not defined POOL goto :fail
set "STEP=recycle the pool of EyeQueue"
"%APPCMD%" recycle apppool "/apppool.name:%POOL%"
if not "%errorlevel%"=="0" goto :fail
echo The pool was restarted.
endlocal
exit /b 0
{% include "_cmd/tail" %}
