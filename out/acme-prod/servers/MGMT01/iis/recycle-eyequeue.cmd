@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Restarts the application pool of EyeQueue
rem Made by cbgen for MGMT01, bundle acme-prod 2026.12.1. Change the inventory, not this file.
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

set "STEP=check that this is MGMT01"
if /i "%COMPUTERNAME%"=="MGMT01" goto :right_server
echo This script was made for MGMT01; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\eyequeue"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "APPCMD=%SYSTEM%\inetsrv\appcmd.exe"
set "SITE=Default Web Site"
set "STEP=find IIS and its site"
if exist "%APPCMD%" goto :iis_found
echo There is no %APPCMD%. Install the IIS management tools.
goto :fail
:iis_found
"%APPCMD%" list site "%SITE%" >nul
if "%errorlevel%"=="0" goto :site_found
echo There is no site %SITE%. Correct iis.site in the inventory.
goto :fail
:site_found

set "STEP=find the pool of EyeQueue"
"%APPCMD%" list app "%SITE%/EyeQueue" /text:applicationPool >"%STATE%\pool.txt"
if not "%errorlevel%"=="0" goto :fail
set "POOL="
for /f "usebackq delims=" %%A in ("%STATE%\pool.txt") do set "POOL=%%A"
if not defined POOL goto :fail
set "STEP=recycle the pool of EyeQueue"
"%APPCMD%" recycle apppool "/apppool.name:%POOL%"
if not "%errorlevel%"=="0" goto :fail
echo The pool was restarted.
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Recycle the pool of EyeQueue in IIS Manager instead.
endlocal
exit /b 1


