@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Runs the installer of the package's dependencies
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

set "FOLDER=C:\Program Files (x86)\Virtual Hold Technology\proxy\dependencies"
set "STEP=find the installer"
if exist "%FOLDER%\install_dependencies.cmd" goto :found
echo There is no install_dependencies.cmd in %FOLDER%.
echo Copy the folder proxy\dependencies from a Management server to this place.
goto :fail
:found
set "STEP=install the dependencies"
pushd "%FOLDER%"
if not "%errorlevel%"=="0" goto :fail
call "%FOLDER%\install_dependencies.cmd" <nul
set "CODE=%errorlevel%"
popd
rem 3010 and 1641: done, Windows wants a restart. 1638: it is there in this or a later version.
if "%CODE%"=="3010" goto :restart
if "%CODE%"=="1641" goto :restart
if "%CODE%"=="1638" goto :there
if not "%CODE%"=="0" goto :wrong
:there
echo The dependencies are installed.
endlocal
exit /b 0
:restart
echo The dependencies are installed. Windows asks for a restart, which is a step of its own.
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
:wrong
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again.
endlocal
exit /b 1

