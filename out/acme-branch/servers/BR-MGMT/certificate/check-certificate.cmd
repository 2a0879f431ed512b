@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Checks the certificate and key that nginx reads; changes nothing
rem Made by cbgen for BR-MGMT, bundle acme-branch 2026.12.2. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
rem What a failure cleans up must not come from the surroundings.
set "WORK="
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

set "STEP=check that this is BR-MGMT"
if /i "%COMPUTERNAME%"=="BR-MGMT" goto :right_server
echo This script was made for BR-MGMT; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "CONF=C:\Program Files (x86)\Virtual Hold Technology\proxy\nginx\conf"
set "WORK=%TEMP%\cbgen-check-certificate-%RANDOM%"
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

set "STEP=find vht_callback_ssl.crt"
if not exist "%CONF%\vht_callback_ssl.crt" goto :fail
set "STEP=find vht_callback_ssl.key"
if not exist "%CONF%\vht_callback_ssl.key" goto :fail
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

set "STEP=find callback.branch.acme.example in the certificate"
rem unchecked: older versions of openssl say it in words only
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -checkhost "callback.branch.acme.example" >"%WORK%\name.txt" 2>&1
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%WORK%\name.txt" >nul
if "%errorlevel%"=="0" goto :name_1
if not "%errorlevel%"=="1" goto :fail
echo The certificate is not made for callback.branch.acme.example. Get one with this subject alternative name.
goto :fail
:name_1

set "STEP=find mgmt.branch.acme.example in the certificate"
rem unchecked: older versions of openssl say it in words only
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -checkhost "mgmt.branch.acme.example" >"%WORK%\name.txt" 2>&1
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%WORK%\name.txt" >nul
if "%errorlevel%"=="0" goto :name_2
if not "%errorlevel%"=="1" goto :fail
echo The certificate is not made for mgmt.branch.acme.example. Get one with this subject alternative name.
goto :fail
:name_2


set "STEP=read every certificate of the file"
"%CALLBACK_OPENSSL%" crl2pkcs7 -nocrl -certfile "%CONF%\vht_callback_ssl.crt" -out "%WORK%\all.p7b"
if not "%errorlevel%"=="0" goto :fail
echo The file holds, leaf first:
"%CALLBACK_OPENSSL%" pkcs7 -in "%WORK%\all.p7b" -print_certs -noout
if not "%errorlevel%"=="0" goto :fail
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
set "TRUST=%ProgramData%\cbgen\acme-branch\2026.12.2\certificate\trust"
if not exist "%TRUST%\BR-MGMT.txt" goto :no_list
for /f "usebackq tokens=1,3" %%A in ("%TRUST%\BR-MGMT.txt") do call :root "%%A" "%%B"
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
rd /s /q "%WORK%"
if exist "%WORK%\." goto :fail
echo The installed files are good.
endlocal
exit /b 0

:broken_chain
echo A client that knows only the root does not accept what the proxy would send: an intermediate certificate is missing or wrong.
echo Run servers\BR-MGMT\certificate\convert-certificate.cmd again, with a file exported by Export-PfxCertificate with -ChainOption BuildChain.
goto :fail

rem One line of the list: store, thumbprint and file. Roots are collected.
:root
if not "%~1"=="Root" exit /b 0
"%CALLBACK_OPENSSL%" x509 -inform DER -in "%TRUST%\%~2" >>"%WORK%\roots.pem"
if not "%errorlevel%"=="0" set "TROUBLE=yes"
exit /b 0

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

:fail
set "CODE=%errorlevel%"
rem unchecked: the copy of the key must not stay, whatever failed
if defined WORK rd /s /q "%WORK%" >nul 2>&1
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Nothing was changed. Run servers\BR-MGMT\certificate\convert-certificate.cmd to make the files anew.
endlocal
exit /b 1

