@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Imports the certificates that this server has to trust
rem Made by cbgen for CORE01, bundle acme-prod 2026.12.1. Change the inventory, not this file.
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

set "STEP=check that this is CORE01"
if /i "%COMPUTERNAME%"=="CORE01" goto :right_server
echo This script was made for CORE01; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\trust"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "CERTUTIL=%SYSTEM%\certutil.exe"
set "TROUBLE="
set "COUNT="
rem Every server reads the lists that convert-certificate.cmd wrote on the Management servers.
set "TRUST=%ProgramData%\cbgen\acme-prod\2026.12.1\trusted"
set "STEP=find the lists of certificates"
if exist "%TRUST%\MGMT01.txt" goto :list_3
echo There is no %TRUST%\MGMT01.txt.
echo Copy what convert-certificate.cmd wrote on MGMT01 into this folder.
goto :fail
:list_3
if exist "%TRUST%\MGMT02.txt" goto :list_4
echo There is no %TRUST%\MGMT02.txt.
echo Copy what convert-certificate.cmd wrote on MGMT02 into this folder.
goto :fail
:list_4


set "STEP=import the certificates of MGMT01"
for /f "usebackq tokens=1-3" %%A in ("%TRUST%\MGMT01.txt") do call :import "%%A" "%%B" "%%C"
if defined TROUBLE goto :fail
if not defined COUNT goto :fail
set "COUNT="
set "STEP=import the certificates of MGMT02"
for /f "usebackq tokens=1-3" %%A in ("%TRUST%\MGMT02.txt") do call :import "%%A" "%%B" "%%C"
if defined TROUBLE goto :fail
if not defined COUNT goto :fail
set "COUNT="

set "STEP=note that this server was looked at"
rem Also where nothing was missing: the way back must not take that for a loss.
if exist "%STATE%\captured.txt" goto :noted
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
:noted
echo This server trusts the proxy.
endlocal
exit /b 0

rem Store, thumbprint, file name. A certificate that was there before is left alone and not taken out on the way back.
:import
if defined TROUBLE exit /b 1
set "TROUBLE=yes"
set "STEP=import %~3 into %~1"
rem A store that cannot be read would look like one without the certificate, and the way back would take out too much.
"%CERTUTIL%" -store "%~1" >nul
if not "%errorlevel%"=="0" exit /b 1
"%CERTUTIL%" -store "%~1" "%~2" >nul 2>&1
if "%errorlevel%"=="0" goto :imported
if not exist "%TRUST%\%~3" exit /b 1
echo %~1>"%STATE%\added-%~1-%~2.txt"
if not exist "%STATE%\added-%~1-%~2.txt" exit /b 1
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" exit /b 1
"%CERTUTIL%" -f -addstore "%~1" "%TRUST%\%~3" >nul
if not "%errorlevel%"=="0" exit /b 1
"%CERTUTIL%" -store "%~1" "%~2" >nul
if not "%errorlevel%"=="0" exit /b 1
:imported
set "COUNT=yes"
set "TROUBLE="
exit /b 0

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again, or run servers\CORE01\certificate\rollback-trust.cmd to go back.
endlocal
exit /b 1


