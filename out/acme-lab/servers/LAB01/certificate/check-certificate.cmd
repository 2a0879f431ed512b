@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Checks the certificate and key that nginx reads; changes nothing
rem Made by cbgen for LAB01, bundle acme-lab 2026.11.3. Change the inventory, not this file.
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

set "STEP=check that this is LAB01"
if /i "%COMPUTERNAME%"=="LAB01" goto :right_server
echo This script was made for LAB01; this is %COMPUTERNAME%. Use the folder of this server.
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

set "STEP=find lab.acme.example in the certificate"
rem unchecked: older versions of openssl say it in words only
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -checkhost "lab.acme.example" >"%WORK%\name.txt" 2>&1
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%WORK%\name.txt" >nul
if "%errorlevel%"=="0" goto :name_1
if not "%errorlevel%"=="1" goto :fail
echo The certificate is not made for lab.acme.example. Get one with this subject alternative name.
goto :fail
:name_1

set "STEP=find lab01.acme.example in the certificate"
rem unchecked: older versions of openssl say it in words only
"%CALLBACK_OPENSSL%" x509 -in "%WORK%\leaf.pem" -noout -checkhost "lab01.acme.example" >"%WORK%\name.txt" 2>&1
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%WORK%\name.txt" >nul
if "%errorlevel%"=="0" goto :name_2
if not "%errorlevel%"=="1" goto :fail
echo The certificate is not made for lab01.acme.example. Get one with this subject alternative name.
goto :fail
:name_2


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
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Nothing was changed. Run servers\LAB01\certificate\convert-certificate.cmd to make the files anew.
endlocal
exit /b 1

