---
title: Put the certificate and key of before back
requirements: [DEF-103]
scope: server
when: server.is_management
path: certificate/rollback-certificate.cmd
format: cmd
effect: run_script
phase: certificate
order: 41
rollback: none
---
{% set script_title = "Puts the files of before convert-certificate.cmd back" -%}
{% set script_machine = server.name -%}
{% set script_advice = "The old files lie in the cbgen folder of ProgramData; correct the cause and run this script again." -%}
{% set state_name = "certificate" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
set "CONF={{ (proxy.root ~ "\\nginx\\conf") | cmd_set }}"
{% for kind in ["key", "crt"] %}
set "STEP=restore vht_callback_ssl.{{ kind }}"
if exist "%STATE%\old.{{ kind }}" goto :old_{{ kind }}
rem unchecked: the next line asks
del /q "%CONF%\vht_callback_ssl.{{ kind }}" >nul 2>&1
if exist "%CONF%\vht_callback_ssl.{{ kind }}" goto :fail
goto :done_{{ kind }}
:old_{{ kind }}
copy /y "%STATE%\old.{{ kind }}" "%CONF%\vht_callback_ssl.{{ kind }}" >nul
if not "%errorlevel%"=="0" goto :fail
:done_{{ kind }}
{% endfor %}
set "STEP=delete the saved copies"
rem unchecked: usually one of them is not there, and the next lines ask
del /q "%STATE%\old.key" "%STATE%\old.crt" >nul 2>&1
if exist "%STATE%\old.key" goto :fail
if exist "%STATE%\old.crt" goto :fail
{% include "_cmd/back" %}
echo The files of before are back. Restart the service VHT Reverse Proxy if it runs.
endlocal
exit /b 0
{% include "_cmd/tail" %}
