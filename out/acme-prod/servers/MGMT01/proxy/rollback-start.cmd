@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Stops the reverse proxy
rem Made by cbgen for MGMT01, bundle acme-prod 2026.12.1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=check administrator rights"
"%SYSTEM%\net.exe" session >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is MGMT01"
if /i "%COMPUTERNAME%"=="MGMT01" goto :right_server
echo This script was made for MGMT01; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=find the saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\start"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

set "STEP=look for the service"
rem 1060: there is no such service. Any other answer says nothing about it.
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >"%STATE%\service-now.txt" 2>&1
if "%errorlevel%"=="1060" goto :stopped
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:"STATE  *: 1 " "%STATE%\service-now.txt" >nul
if "%errorlevel%"=="0" goto :stopped
if not "%errorlevel%"=="1" goto :fail
set "STEP=stop the service"
"%SYSTEM%\net.exe" stop "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
:stopped
set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo The proxy does not run. Run rollback-bindings.cmd so that IIS takes its ports back.
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again.
endlocal
exit /b 1


