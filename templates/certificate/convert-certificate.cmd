---
title: Make certificate and key for the proxy
requirements: [PRE-2, PRE-4, TLS-1, TLS-2, TLS-3, TLS-4, TLS-5, TLS-6, NGX-4, STEP-2, DEF-13, DEF-14, DEF-15, DEF-16, DEF-107]
scope: server
when: server.is_management
path: certificate/convert-certificate.cmd
target: '{{ proxy.root }}\nginx\conf\vht_callback_ssl.crt'
format: cmd
effect: run_script
phase: certificate
order: 40
rollback: certificate/rollback-certificate.cmd
runbook:
  before:
    - 'The exported file {{ certificate.pfx | md_code }} is on this server, and the nginx package is unpacked below {{ product.install_root | md_code }}.'
    - 'Where the exported file has a password, the variable `CALLBACK_PFX_PASSWORD` holds it: the script reads it from there and asks nobody. In the PowerShell window the command will be run in: `$env:CALLBACK_PFX_PASSWORD = (New-Object Net.NetworkCredential("", (Read-Host "Password" -AsSecureString))).Password`. In that window the command begins with a dot and a backslash, `.\cbgen apply` or `.\run-phase.cmd`: PowerShell starts no program of the current folder without them. Close the window afterwards.'
    - 'An OpenSSL of today is installed; the one inside Git for Windows is found by itself. For another one set the variable `CALLBACK_OPENSSL` to its full path, without quotes.'
  do:
    - 'Open PowerShell as administrator in the folder of the unpacked bundle.'
    - 'Hand over the password of the file without writing it anywhere: `$env:CALLBACK_PFX_PASSWORD = (New-Object Net.NetworkCredential("", (Read-Host "Password" -AsSecureString))).Password`. Leave this out when the file has no password.'
    - 'Run `servers\{{ server.name }}\certificate\convert-certificate.cmd`, then close this PowerShell window: the password is gone with it.'
  check:
    - 'The script ends with `Certificate and key are in place`.'
    - 'It names a folder with certificates only, no key: the next step copies it to every server.'
  undo:
    - 'Run `servers\{{ server.name }}\certificate\rollback-certificate.cmd`: it puts the old files back, or deletes the new ones when there were none.'
---
{% set script_title = "Makes vht_callback_ssl.crt and vht_callback_ssl.key from the exported certificate" -%}
{% set script_machine = server.name -%}
{% set script_advice = "The files of the proxy are as they were unless the step is a move. Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\certificate\\rollback-certificate.cmd." -%}
{% set state_name = "certificate" -%}
{% include "_cmd/begin" %}rem What a failure cleans up must not come from the surroundings.
set "WORK="
set "CONF="
{% include "_cmd/elevated" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
set "PFX={{ certificate.pfx | cmd_set }}"
set "CONF={{ (proxy.root ~ "\\nginx\\conf") | cmd_set }}"
set "WORK=%STATE%\work"
set "TRUST=%STATE%\trust"

{% include "_cmd/openssl" %}
set "STEP=find the exported file"
if exist "%PFX%" goto :pfx_found
echo There is no %PFX%. Export the certificate with its private key to this file.
goto :fail
:pfx_found

set "STEP=find the proxy"
if exist "%CONF%\mime.types" goto :proxy_found
echo There is no %CONF%\mime.types. Unpack the nginx package first.
goto :fail
:proxy_found

set "STEP=make a working folder that only SYSTEM and Administrators can read"
rem unchecked: usually there is nothing to remove, and the next line asks
if defined WORK rd /s /q "%WORK%" >nul 2>&1
if exist "%WORK%\." goto :fail
mkdir "%WORK%"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\icacls.exe" "%STATE%" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" >nul
if not "%errorlevel%"=="0" goto :fail
if exist "%TRUST%\." goto :trust_ready
mkdir "%TRUST%"
if not "%errorlevel%"=="0" goto :fail
:trust_ready

set "STEP=open the exported file"
if not defined CALLBACK_PFX_PASSWORD set "CALLBACK_PFX_PASSWORD="
set "PASSIN=pass:"
if defined CALLBACK_PFX_PASSWORD set "PASSIN=env:CALLBACK_PFX_PASSWORD"
rem FORM is an option that changes nothing, or the one that lets OpenSSL 3 read RC2 and 3DES.
set "FORM=-nodes"
"%CALLBACK_OPENSSL%" pkcs12 -in "%PFX%" -noout -passin "%PASSIN%" "%FORM%" >nul 2>"%WORK%\open.txt"
if "%errorlevel%"=="0" goto :opened
"%SYSTEM%\findstr.exe" /i /c:"mac verify" "%WORK%\open.txt" >nul
if "%errorlevel%"=="0" goto :wrong_password
if not "%errorlevel%"=="1" goto :fail
set "FORM=-legacy"
"%CALLBACK_OPENSSL%" pkcs12 -in "%PFX%" -noout -passin "%PASSIN%" "%FORM%" >nul 2>"%WORK%\open.txt"
if "%errorlevel%"=="0" goto :opened_legacy
echo The file is no PKCS12 file that this openssl.exe can read:
rem unchecked: only shows what openssl said
type "%WORK%\open.txt"
goto :fail
:wrong_password
echo The password is wrong, or none was set. See the runbook for CALLBACK_PFX_PASSWORD.
goto :fail
:opened_legacy
echo The file uses an old encryption, read with -legacy. Export it with AES256-SHA256 next time.
:opened

set "STEP=take the certificate out"
"%CALLBACK_OPENSSL%" pkcs12 -in "%PFX%" -clcerts -nokeys -passin "%PASSIN%" "%FORM%" -out "%WORK%\leaf-bag.pem" 2>nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"BEGIN CERTIFICATE" "%WORK%\leaf-bag.pem" >nul
if "%errorlevel%"=="0" goto :has_leaf
if not "%errorlevel%"=="1" goto :fail
echo The file holds no certificate with a private key. Export it again with *Export private key*.
goto :fail
:has_leaf
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf-bag.pem" -out "%WORK%\leaf.pem"
if not "%errorlevel%"=="0" goto :fail

set "STEP=take the key out"
"%CALLBACK_OPENSSL%" pkcs12 -in "%PFX%" -nocerts -nodes -passin "%PASSIN%" "%FORM%" -out "%WORK%\key-bag.pem" 2>nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"PRIVATE KEY" "%WORK%\key-bag.pem" >nul
if "%errorlevel%"=="0" goto :has_key
if not "%errorlevel%"=="1" goto :fail
echo The file holds no private key. Export it again with *Export private key*.
goto :fail
:has_key
"%CALLBACK_OPENSSL%" pkey -in "%WORK%\key-bag.pem" -passin pass: -out "%WORK%\vht_callback_ssl.key"
if not "%errorlevel%"=="0" goto :fail

{% include "certificate/_certificate/checks" %}
set "STEP=count which certificates every server has to trust"
rem unchecked: a list of an earlier run, if any
del /q "%TRUST%\*" >nul 2>&1
if exist "%TRUST%\{{ server.name }}.txt" goto :fail
{% if certificate.self_signed -%}
copy /y "%WORK%\leaf.pem" "%WORK%\vht_callback_ssl.crt" >nul
if not "%errorlevel%"=="0" goto :fail
call :trust "Root" "%WORK%\leaf.pem" "{{ server.name }}-1.cer"
if not "%errorlevel%"=="0" goto :fail
{% else -%}
set "STEP=take the chain out"
"%CALLBACK_OPENSSL%" pkcs12 -in "%PFX%" -cacerts -nokeys -passin "%PASSIN%" "%FORM%" -out "%WORK%\chain-bag.pem" 2>nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"BEGIN CERTIFICATE" "%WORK%\chain-bag.pem" >nul
if "%errorlevel%"=="1" goto :no_chain
if not "%errorlevel%"=="0" goto :fail
"%CALLBACK_OPENSSL%" crl2pkcs7 -nocrl -certfile "%WORK%\chain-bag.pem" -out "%WORK%\chain.p7b"
if not "%errorlevel%"=="0" goto :fail
"%CALLBACK_OPENSSL%" pkcs7 -in "%WORK%\chain.p7b" -print_certs -out "%WORK%\chain-names.pem"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /v /b /l /c:"subject" /c:"issuer" "%WORK%\chain-names.pem" >"%WORK%\chain.pem"
if not "%errorlevel%"=="0" goto :fail

set "STEP=split the chain"
set "NUMBER="
set "TROUBLE="
set "ROOTS="
set "INTERMEDIATES="
for /f "usebackq" %%A in ("%WORK%\chain.pem") do call :line "%%A"
if defined TROUBLE goto :fail
if not exist "%WORK%\ca-1.pem" goto :no_chain
{% for number in [1, 2, 3, 4, 5, 6] -%}
if not exist "%WORK%\ca-{{ number }}.pem" goto :sorted
call :sort "%WORK%\ca-{{ number }}.pem" "{{ server.name }}-{{ number }}.cer"
if not "%errorlevel%"=="0" goto :fail
{% endfor -%}
:sorted
if not defined ROOTS goto :no_root

set "STEP=verify the chain up to its root"
"%CALLBACK_OPENSSL%" verify -purpose sslserver -CAfile "%WORK%\chain.pem" "%WORK%\leaf.pem"
if not "%errorlevel%"=="0" goto :broken_chain

set "STEP=join certificate and intermediates"
if defined INTERMEDIATES goto :join
copy /y "%WORK%\leaf.pem" "%WORK%\vht_callback_ssl.crt" >nul
if not "%errorlevel%"=="0" goto :fail
goto :joined
:join
copy /y /b "%WORK%\leaf.pem"+"%WORK%\intermediates.pem" "%WORK%\vht_callback_ssl.crt" >nul
if not "%errorlevel%"=="0" goto :fail
:joined
{% endif %}
set "STEP=read the finished certificate file"
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\vht_callback_ssl.crt" -noout -subject -issuer -enddate
if not "%errorlevel%"=="0" goto :fail

rem The first run saves the files of before; a later run must not save its own files over them.
set "STEP=save the old files"
if exist "%STATE%\captured.txt" goto :captured
{% for kind in ["crt", "key"] -%}
rem unchecked: a file of an earlier run, if any
del /q "%STATE%\old.{{ kind }}" >nul 2>&1
if exist "%STATE%\old.{{ kind }}" goto :fail
if not exist "%CONF%\vht_callback_ssl.{{ kind }}" goto :no_old_{{ kind }}
copy /y "%CONF%\vht_callback_ssl.{{ kind }}" "%STATE%\old.{{ kind }}" >nul
if not "%errorlevel%"=="0" goto :fail
:no_old_{{ kind }}
{% endfor -%}
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=put the key beside the old one, readable for SYSTEM and Administrators only"
rem The file gets its permissions while it is still empty.
echo empty>"%CONF%\vht_callback_ssl.key.cbgen-new"
if not exist "%CONF%\vht_callback_ssl.key.cbgen-new" goto :fail
"%SYSTEM%\icacls.exe" "%CONF%\vht_callback_ssl.key.cbgen-new" /inheritance:r /grant:r "*S-1-5-18:R" "*S-1-5-32-544:F" >nul
if not "%errorlevel%"=="0" goto :fail
copy /y "%WORK%\vht_callback_ssl.key" "%CONF%\vht_callback_ssl.key.cbgen-new" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=put the certificate beside the old one"
copy /y "%WORK%\vht_callback_ssl.crt" "%CONF%\vht_callback_ssl.crt.cbgen-new" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=move the key into place"
move /y "%CONF%\vht_callback_ssl.key.cbgen-new" "%CONF%\vht_callback_ssl.key" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=move the certificate into place"
move /y "%CONF%\vht_callback_ssl.crt.cbgen-new" "%CONF%\vht_callback_ssl.crt" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=remove the working folder"
rd /s /q "%WORK%"
if exist "%WORK%\." goto :fail
echo Certificate and key are in place in %CONF%.
echo Every server has to trust what lies in %TRUST%. Copy its files to %ProgramData%\cbgen\{{ bundle.name | cmd_echo }}\{{ bundle.version | cmd_echo }}\trusted on every server, this one too.
endlocal
exit /b 0

{% if not certificate.self_signed -%}
:no_chain
echo The file holds the certificate only. Export it by Export-PfxCertificate with -ChainOption BuildChain.
goto :fail
:no_root
echo The chain ends before its root. Export it by Export-PfxCertificate with -ChainOption BuildChain, on a server that trusts the root.
goto :fail
:broken_chain
echo openssl does not accept the chain; its reason stands above.
goto :fail

{% include "certificate/_certificate/line" %}
rem A certificate issued by its own subject is a root; everything else is an intermediate.
:sort
"%CALLBACK_OPENSSL%" x509 -in "%~1" -noout -subject_hash >"%WORK%\subject.txt"
if not "%errorlevel%"=="0" exit /b 1
"%CALLBACK_OPENSSL%" x509 -in "%~1" -noout -issuer_hash >"%WORK%\issuer.txt"
if not "%errorlevel%"=="0" exit /b 1
set "SUBJECT=none"
set "ISSUER=other"
for /f "usebackq" %%A in ("%WORK%\subject.txt") do set "SUBJECT=%%A"
for /f "usebackq" %%A in ("%WORK%\issuer.txt") do set "ISSUER=%%A"
if "%SUBJECT%"=="%ISSUER%" goto :root
set "INTERMEDIATES=yes"
"%CALLBACK_OPENSSL%" x509 -in "%~1" >>"%WORK%\intermediates.pem"
if not "%errorlevel%"=="0" exit /b 1
call :trust "CA" "%~1" "%~2"
set "CODE=%errorlevel%"
exit /b %CODE%
:root
set "ROOTS=yes"
call :trust "Root" "%~1" "%~2"
set "CODE=%errorlevel%"
exit /b %CODE%

{% endif -%}
rem Writes a certificate for import-trust.cmd: store, thumbprint and file name into the list, the certificate beside it.
:trust
"%CALLBACK_OPENSSL%" x509 -in "%~2" -outform DER -out "%TRUST%\%~3"
if not "%errorlevel%"=="0" exit /b 1
"%CALLBACK_OPENSSL%" x509 -in "%~2" -noout -fingerprint -sha1 >"%WORK%\thumb.txt"
if not "%errorlevel%"=="0" exit /b 1
set "THUMB="
for /f "usebackq tokens=2-21 delims=:=" %%A in ("%WORK%\thumb.txt") do set "THUMB=%%A%%B%%C%%D%%E%%F%%G%%H%%I%%J%%K%%L%%M%%N%%O%%P%%Q%%R%%S%%T"
if not defined THUMB exit /b 1
echo %~1 %THUMB% %~3 >>"%TRUST%\{{ server.name }}.txt"
if not exist "%TRUST%\{{ server.name }}.txt" exit /b 1
exit /b 0

:fail
set "CODE=%errorlevel%"
rem unchecked: the private key must not stay in the working folder, whatever failed
rd /s /q "%WORK%" >nul 2>&1
rem unchecked: the same for files that were not moved into place
if defined CONF del /q "%CONF%\vht_callback_ssl.key.cbgen-new" "%CONF%\vht_callback_ssl.crt.cbgen-new" >nul 2>&1
{% include "_cmd/failed" %}
