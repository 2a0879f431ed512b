@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Makes vht_callback_ssl.crt and vht_callback_ssl.key from the exported certificate
rem Made by cbgen for MGMT01, bundle acme-prod 2026.12.1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
rem What a failure cleans up must not come from the surroundings.
set "WORK="
set "CONF="
set "STEP=check administrator rights"
rem Asks the filter manager, which answers administrators only. Without an answer Windows says whether rights are the reason.
"%SYSTEM%\fltmc.exe" >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "$me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent()); if ($me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { exit 0 }; exit 3"
if "%errorlevel%"=="0" goto :elevated
if "%errorlevel%"=="3" goto :not_elevated
echo Neither the filter manager nor PowerShell answers, so nobody knows whether this command prompt has the rights of an administrator.
goto :fail
:not_elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is MGMT01"
if /i "%COMPUTERNAME%"=="MGMT01" goto :right_server
echo This script was made for MGMT01; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\certificate"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "PFX=D:\handoff\callback.pfx"
set "CONF=C:\Program Files (x86)\Virtual Hold Technology\proxy\nginx\conf"
set "WORK=%STATE%\work"
set "TRUST=%STATE%\trust"

set "STEP=find openssl.exe"
if defined CALLBACK_OPENSSL goto :openssl_chosen
set "CALLBACK_OPENSSL=%ProgramFiles%\Git\mingw64\bin\openssl.exe"
if exist "%CALLBACK_OPENSSL%" goto :openssl_chosen
set "CALLBACK_OPENSSL=%ProgramFiles%\Git\usr\bin\openssl.exe"
:openssl_chosen
if exist "%CALLBACK_OPENSSL%" goto :openssl_found
echo There is no %CALLBACK_OPENSSL%.
echo Install Git for Windows, or set CALLBACK_OPENSSL to the full path of another openssl.exe.
goto :fail
:openssl_found
"%CALLBACK_OPENSSL%" version
if not "%errorlevel%"=="0" goto :fail

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

set "STEP=compare key and certificate"
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -pubkey >"%WORK%\public-1.txt"
if not "%errorlevel%"=="0" goto :fail
"%CALLBACK_OPENSSL%" pkey -in "%WORK%\vht_callback_ssl.key" -passin pass: -pubout >"%WORK%\public-2.txt"
if not "%errorlevel%"=="0" goto :key_unreadable
"%SYSTEM%\fc.exe" /b "%WORK%\public-1.txt" "%WORK%\public-2.txt" >nul
if "%errorlevel%"=="0" goto :key_matches
if not "%errorlevel%"=="1" goto :fail
echo Key and certificate do not belong together.
goto :fail
:key_unreadable
echo The key cannot be read, or it is encrypted; nginx needs it unencrypted.
goto :fail
:key_matches

set "STEP=check that the certificate is still valid"
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -checkend 0 >nul
if "%errorlevel%"=="0" goto :not_expired
echo The certificate has expired:
rem unchecked: only shows the date
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -enddate
goto :fail
:not_expired
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -checkend 2592000 >nul
if not "%errorlevel%"=="0" echo WARNING: the certificate expires within 30 days.

rem Browsers look at the alternative names only; openssl takes the common name where there are none.
set "STEP=find alternative names in the certificate"
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -text >"%WORK%\text.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:"DNS:" "%WORK%\text.txt" >nul
if "%errorlevel%"=="0" goto :has_names
if not "%errorlevel%"=="1" goto :fail
echo The certificate has a common name only, no subject alternative name. Browsers refuse it. Get another one.
goto :fail
:has_names

set "STEP=find callback.acme.example in the certificate"
rem unchecked: older versions of openssl say it in words only
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -checkhost "callback.acme.example" >"%WORK%\name.txt" 2>&1
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%WORK%\name.txt" >nul
if "%errorlevel%"=="0" goto :name_1
if not "%errorlevel%"=="1" goto :fail
echo The certificate is not made for callback.acme.example. Get one with this subject alternative name.
goto :fail
:name_1

set "STEP=find mgmt01.acme.example in the certificate"
rem unchecked: older versions of openssl say it in words only
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -checkhost "mgmt01.acme.example" >"%WORK%\name.txt" 2>&1
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%WORK%\name.txt" >nul
if "%errorlevel%"=="0" goto :name_2
if not "%errorlevel%"=="1" goto :fail
echo The certificate is not made for mgmt01.acme.example. Get one with this subject alternative name.
goto :fail
:name_2


set "STEP=count which certificates every server has to trust"
rem unchecked: a list of an earlier run, if any
del /q "%TRUST%\*" >nul 2>&1
if exist "%TRUST%\MGMT01.txt" goto :fail
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
if not exist "%WORK%\ca-1.pem" goto :sorted
call :sort "%WORK%\ca-1.pem" "MGMT01-1.cer"
if not "%errorlevel%"=="0" goto :fail
if not exist "%WORK%\ca-2.pem" goto :sorted
call :sort "%WORK%\ca-2.pem" "MGMT01-2.cer"
if not "%errorlevel%"=="0" goto :fail
if not exist "%WORK%\ca-3.pem" goto :sorted
call :sort "%WORK%\ca-3.pem" "MGMT01-3.cer"
if not "%errorlevel%"=="0" goto :fail
if not exist "%WORK%\ca-4.pem" goto :sorted
call :sort "%WORK%\ca-4.pem" "MGMT01-4.cer"
if not "%errorlevel%"=="0" goto :fail
if not exist "%WORK%\ca-5.pem" goto :sorted
call :sort "%WORK%\ca-5.pem" "MGMT01-5.cer"
if not "%errorlevel%"=="0" goto :fail
if not exist "%WORK%\ca-6.pem" goto :sorted
call :sort "%WORK%\ca-6.pem" "MGMT01-6.cer"
if not "%errorlevel%"=="0" goto :fail
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

set "STEP=read the finished certificate file"
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\vht_callback_ssl.crt" -noout -subject -issuer -enddate
if not "%errorlevel%"=="0" goto :fail

rem The first run saves the files of before; a later run must not save its own files over them.
set "STEP=save the old files"
if exist "%STATE%\captured.txt" goto :captured
rem unchecked: a file of an earlier run, if any
del /q "%STATE%\old.crt" >nul 2>&1
if exist "%STATE%\old.crt" goto :fail
if not exist "%CONF%\vht_callback_ssl.crt" goto :no_old_crt
copy /y "%CONF%\vht_callback_ssl.crt" "%STATE%\old.crt" >nul
if not "%errorlevel%"=="0" goto :fail
:no_old_crt
rem unchecked: a file of an earlier run, if any
del /q "%STATE%\old.key" >nul 2>&1
if exist "%STATE%\old.key" goto :fail
if not exist "%CONF%\vht_callback_ssl.key" goto :no_old_key
copy /y "%CONF%\vht_callback_ssl.key" "%STATE%\old.key" >nul
if not "%errorlevel%"=="0" goto :fail
:no_old_key
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
echo Every server has to trust what lies in %TRUST%. Copy its files to %ProgramData%\cbgen\acme-prod\2026.12.1\trusted on every server, this one too.
endlocal
exit /b 0

:no_chain
echo The file holds the certificate only. Export it by Export-PfxCertificate with -ChainOption BuildChain.
goto :fail
:no_root
echo The chain ends before its root. Export it by Export-PfxCertificate with -ChainOption BuildChain, on a server that trusts the root.
goto :fail
:broken_chain
echo openssl does not accept the chain; its reason stands above.
goto :fail

rem One line of a file of certificates: collects each in a file of its own, ca-1.pem, ca-2.pem and so on.
:line
if defined TROUBLE exit /b 1
if not "%~1"=="-----BEGIN" goto :inside
if "%NUMBER%"=="6" set "NUMBER=7"
if "%NUMBER%"=="5" set "NUMBER=6"
if "%NUMBER%"=="4" set "NUMBER=5"
if "%NUMBER%"=="3" set "NUMBER=4"
if "%NUMBER%"=="2" set "NUMBER=3"
if "%NUMBER%"=="1" set "NUMBER=2"
if not defined NUMBER set "NUMBER=1"
if "%NUMBER%"=="7" goto :too_many
echo -----BEGIN CERTIFICATE----->"%WORK%\ca-%NUMBER%.pem"
exit /b 0
:inside
if not defined NUMBER exit /b 0
if "%~1"=="-----END" goto :end_line
echo %~1 >>"%WORK%\ca-%NUMBER%.pem"
exit /b 0
:end_line
echo -----END CERTIFICATE----->>"%WORK%\ca-%NUMBER%.pem"
exit /b 0
:too_many
echo The file has more than six certificates.
set "TROUBLE=yes"
exit /b 1

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

rem Writes a certificate for import-trust.cmd: store, thumbprint and file name into the list, the certificate beside it.
:trust
"%CALLBACK_OPENSSL%" x509 -in "%~2" -outform DER -out "%TRUST%\%~3"
if not "%errorlevel%"=="0" exit /b 1
"%CALLBACK_OPENSSL%" x509 -in "%~2" -noout -fingerprint -sha1 >"%WORK%\thumb.txt"
if not "%errorlevel%"=="0" exit /b 1
set "THUMB="
for /f "usebackq tokens=2-21 delims=:=" %%A in ("%WORK%\thumb.txt") do set "THUMB=%%A%%B%%C%%D%%E%%F%%G%%H%%I%%J%%K%%L%%M%%N%%O%%P%%Q%%R%%S%%T"
if not defined THUMB exit /b 1
echo %~1 %THUMB% %~3 >>"%TRUST%\MGMT01.txt"
if not exist "%TRUST%\MGMT01.txt" exit /b 1
exit /b 0

:fail
set "CODE=%errorlevel%"
rem unchecked: the private key must not stay in the working folder, whatever failed
rd /s /q "%WORK%" >nul 2>&1
rem unchecked: the same for files that were not moved into place
if defined CONF del /q "%CONF%\vht_callback_ssl.key.cbgen-new" "%CONF%\vht_callback_ssl.crt.cbgen-new" >nul 2>&1
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. The files of the proxy are as they were unless the step is a move. Correct the cause and run this script again, or run servers\MGMT01\certificate\rollback-certificate.cmd.
endlocal
exit /b 1

