@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Takes out the certificates that import-trust.cmd added
rem Made by cbgen for ONE, bundle overlay 1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
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

set "STEP=check that this is ONE"
if /i "%COMPUTERNAME%"=="ONE" goto :right_server
echo This script was made for ONE; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=find the saved state"
set "STATE=%ProgramData%\cbgen\overlay\1\trust"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, or what it saved was deleted, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

set "CERTUTIL=%SYSTEM%\certutil.exe"
set "TROUBLE="
rem Every server reads the lists that convert-certificate.cmd wrote on the Management servers.
set "TRUST=%ProgramData%\cbgen\overlay\1\trusted"
set "STEP=find the lists of certificates"
if exist "%TRUST%\ONE.txt" goto :list_1
echo There is no %TRUST%\ONE.txt.
echo Copy what convert-certificate.cmd wrote on ONE into this folder.
goto :fail
:list_1


for /f "usebackq tokens=1-3" %%A in ("%TRUST%\ONE.txt") do call :remove "%%A" "%%B"
if defined TROUBLE goto :fail

set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo Only the certificates of before are left.
endlocal
exit /b 0

rem Store and thumbprint; only what import-trust.cmd noted as added.
:remove
if defined TROUBLE exit /b 1
if not exist "%STATE%\added-%~1-%~2.txt" exit /b 0
set "TROUBLE=yes"
set "STEP=take %~2 out of %~1"
rem A store that cannot be read would look like one without the certificate.
"%CERTUTIL%" -store "%~1" >nul
if not "%errorlevel%"=="0" exit /b 1
rem unchecked: it also fails when the certificate is gone; the next line looks
"%CERTUTIL%" -delstore "%~1" "%~2" >nul 2>&1
"%CERTUTIL%" -store "%~1" "%~2" >nul 2>&1
if "%errorlevel%"=="0" exit /b 1
del "%STATE%\added-%~1-%~2.txt"
if exist "%STATE%\added-%~1-%~2.txt" exit /b 1
set "TROUBLE="
exit /b 0

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again.
endlocal
exit /b 1


