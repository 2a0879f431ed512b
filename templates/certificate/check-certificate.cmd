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
    - 'Run `servers\{{ server.name }}\certificate\check-certificate.cmd`. It changes nothing; run it again whenever the proxy does not start.'
  check:
    - 'The script ends with `The installed files are good`.{% if not certificate.self_signed %} Unless the root itself issued the certificate, it counts at least two certificates.{% endif %}'
---
{% set script_title = "Checks the certificate and key that nginx reads; changes nothing" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Nothing was changed. Run servers\\" ~ server.name ~ "\\certificate\\convert-certificate.cmd to make the files anew." -%}
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
{% if not certificate.self_signed -%}
"%CALLBACK_OPENSSL%" pkcs7 -in "%WORK%\all.p7b" -print_certs -out "%WORK%\all-names.pem"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /v /b /l /c:"subject" /c:"issuer" "%WORK%\all-names.pem" >"%WORK%\all.pem"
if not "%errorlevel%"=="0" goto :fail

set "STEP=count the certificates of the file"
set "NUMBER="
set "TROUBLE="
for /f "usebackq" %%A in ("%WORK%\all.pem") do call :line "%%A"
if defined TROUBLE goto :fail
if not defined NUMBER goto :fail
echo Certificates in the file: %NUMBER%

rem Clients get these certificates and know the root only. So only the root may be trusted here.
set "STEP=find the roots that convert-certificate.cmd has left on this server"
set "TRUST=%ProgramData%\cbgen\{{ bundle.name }}\{{ bundle.version | cmd_echo }}\certificate\trust"
if not exist "%TRUST%\{{ server.name }}.txt" goto :no_list
for /f "usebackq tokens=1,3" %%A in ("%TRUST%\{{ server.name }}.txt") do call :root "%%A" "%%B"
if defined TROUBLE goto :fail
if not exist "%WORK%\roots.pem" goto :no_list
set "STEP=verify the certificates of the file up to a root"
"%CALLBACK_OPENSSL%" verify -purpose sslserver -no-CApath -CAfile "%WORK%\roots.pem" -untrusted "%WORK%\all.pem" "%WORK%\leaf.pem"
if not "%errorlevel%"=="0" goto :broken_chain
goto :verified
:no_list
echo There is no list of roots in %TRUST%: the last certificate of the file stands for the root.
set "STEP=see that the file holds more than the certificate of the proxy"
if "%NUMBER%"=="1" goto :broken_chain
set "STEP=verify the certificates of the file up to the last one"
"%CALLBACK_OPENSSL%" verify -purpose sslserver -partial_chain -no-CApath -CAfile "%WORK%\ca-%NUMBER%.pem" -untrusted "%WORK%\all.pem" "%WORK%\leaf.pem"
if not "%errorlevel%"=="0" goto :broken_chain
:verified
{% endif -%}
rd /s /q "%WORK%"
if exist "%WORK%\." goto :fail
echo The installed files are good.
endlocal
exit /b 0

{% if not certificate.self_signed -%}
:broken_chain
echo A client that knows only the root does not accept what the proxy would send: an intermediate certificate is missing or wrong.
echo Run servers\{{ server.name }}\certificate\convert-certificate.cmd again, with a file exported by Export-PfxCertificate with -ChainOption BuildChain.
goto :fail

rem One line of the list: store, thumbprint and file. Roots are collected.
:root
if not "%~1"=="Root" exit /b 0
"%CALLBACK_OPENSSL%" x509 -inform DER -in "%TRUST%\%~2" >>"%WORK%\roots.pem"
if not "%errorlevel%"=="0" set "TROUBLE=yes"
exit /b 0

{% include "certificate/_certificate/line" %}
{% endif -%}
:fail
set "CODE=%errorlevel%"
rem unchecked: the copy of the key must not stay, whatever failed
if defined WORK rd /s /q "%WORK%" >nul 2>&1
{% include "_cmd/failed" %}
