---
title: Check the installed certificate and key
requirements: [TLS-5, TLS-6, NGX-4, STEP-3, DEF-14, DEF-16]
scope: server
when: server.is_management
path: certificate/check-certificate.cmd
format: cmd
effect: run_script
phase: proxy
order: 22
rollback: none
runbook:
  do:
    - 'Run `certificate\check-certificate.cmd`. It changes nothing; run it again whenever the proxy does not start.'
  check:
    - 'The script ends with `The installed files are good`.'
---
{% set script_title = "Checks the certificate and key that nginx reads; changes nothing" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Nothing was changed. Run convert-certificate.cmd to make the files anew." -%}
{% include "_cmd/begin" %}rem What a failure cleans up must not come from the surroundings.
set "WORK="
{% include "_cmd/elevated" %}
{% include "_cmd/this_server" %}
set "CONF={{ (proxy.root ~ "\\nginx\\conf") | cmd_set }}"
set "WORK=%TEMP%\cbgen-check-certificate-%RANDOM%"
{% include "_cmd/openssl" %}
{% for kind in ["crt", "key"] -%}
set "STEP=find vht_callback_ssl.{{ kind }}"
if not exist "%CONF%\vht_callback_ssl.{{ kind }}" goto :fail
{% endfor -%}
set "STEP=make a working folder that only SYSTEM and Administrators can read"
mkdir "%WORK%"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\icacls.exe" "%WORK%" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=read the installed files"
"%CALLBACK_OPENSSL%" x509 -in "%CONF%\vht_callback_ssl.crt" -out "%WORK%\leaf.pem"
if not "%errorlevel%"=="0" goto :fail
copy /y "%CONF%\vht_callback_ssl.key" "%WORK%\vht_callback_ssl.key" >nul
if not "%errorlevel%"=="0" goto :fail

{% include "certificate/_certificate/checks" %}
set "STEP=read every certificate of the file"
"%CALLBACK_OPENSSL%" crl2pkcs7 -nocrl -certfile "%CONF%\vht_callback_ssl.crt" -out "%WORK%\all.p7b"
if not "%errorlevel%"=="0" goto :fail
echo The file holds, leaf first:
"%CALLBACK_OPENSSL%" pkcs7 -in "%WORK%\all.p7b" -print_certs -noout
if not "%errorlevel%"=="0" goto :fail
rd /s /q "%WORK%"
if exist "%WORK%\." goto :fail
echo The installed files are good.
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
rem unchecked: the copy of the key must not stay, whatever failed
if defined WORK rd /s /q "%WORK%" >nul 2>&1
{% include "_cmd/failed" %}
