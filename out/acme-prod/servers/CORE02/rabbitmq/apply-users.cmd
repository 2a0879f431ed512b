@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Enables certificate logins and adds the users that certificates log in as
rem Made by cbgen for CORE02, bundle acme-prod 2026.12.1. Change the inventory, not this file.
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

set "STEP=check that this is CORE02"
if /i "%COMPUTERNAME%"=="CORE02" goto :right_server
echo This script was made for CORE02; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\rabbitmq"
if exist "%STATE%\." goto :folder_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:folder_ready
rem What is saved here may hold passwords: old federation addresses often do. Only the system and administrators read it.
"%SYSTEM%\icacls.exe" "%STATE%" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" >nul
if not "%errorlevel%"=="0" goto :fail

set "SBIN=C:\Program Files (x86)\Virtual Hold Technology\RabbitMQ Server\rabbitmq_server-3.8.1\sbin"
set "CTL=%SBIN%\rabbitmqctl.bat"
set "PLUGINS=%SBIN%\rabbitmq-plugins.bat"
set "CONFIG=C:\Program Files (x86)\Virtual Hold Technology\RabbitMQ Server\rabbitmq.config"
set "REG=%SYSTEM%\reg.exe"
set "STEP=find the tools of RabbitMQ in %SBIN%"
if not exist "%CTL%" goto :fail
if not exist "%PLUGINS%" goto :fail

rem The tools must use the folder the service uses, else they change files the broker never reads.
set "STEP=ask the service RabbitMQ for its folder"
call :read_service
if not "%errorlevel%"=="0" goto :fail
set "RABBITMQ_CONFIG_FILE=%CONFIG%"
rem Either of these would open the plain port again.
set "RABBITMQ_NODE_PORT="
set "RABBITMQ_NODE_IP_ADDRESS="

set "STEP=see that preflight.cmd has saved the old state"
if not exist "%STATE%\captured.txt" goto :fail


set "STEP=enable the plugin rabbitmq_auth_mechanism_ssl"
call "%PLUGINS%" -q enable rabbitmq_auth_mechanism_ssl
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that the file of the service names the plugin"
"%SYSTEM%\findstr.exe" /c:"rabbitmq_auth_mechanism_ssl" "%RABBITMQ_BASE%\enabled_plugins" >nul
if not "%errorlevel%"=="0" goto :fail

rem unchecked: it fails for a user that exists; taking the password away is the check
call "%CTL%" -q add_user "callback-mq" "%RANDOM%%RANDOM%%RANDOM%%RANDOM%%RANDOM%%RANDOM%" >nul 2>&1
set "STEP=take the password of callback-mq away, so that only a certificate logs in"
call "%CTL%" -q clear_password "callback-mq"
if not "%errorlevel%"=="0" goto :fail
set "STEP=set the tags of callback-mq"
call "%CTL%" -q set_user_tags "callback-mq" administrator
if not "%errorlevel%"=="0" goto :fail
set "STEP=set the permissions of callback-mq"
call "%CTL%" -q set_permissions -p / "callback-mq" ".*" ".*" ".*"
if not "%errorlevel%"=="0" goto :fail

set "STEP=list the permissions"
call "%CTL%" -q list_permissions -p /
if not "%errorlevel%"=="0" goto :fail

echo The certificate users are in place.
endlocal
exit /b 0

:read_service
set "KEY=HKLM\SOFTWARE\Ericsson\Erlang\ErlSrv\1.1\RabbitMQ"
set "VIEW=/reg:64"
"%REG%" query "%KEY%" "%VIEW%" >"%STATE%\service.txt" 2>nul
if "%errorlevel%"=="0" goto :service_read
set "VIEW=/reg:32"
"%REG%" query "%KEY%" "%VIEW%" >"%STATE%\service.txt" 2>nul
if not "%errorlevel%"=="0" exit /b 1
:service_read
"%SYSTEM%\findstr.exe" /c:" WorkDir " "%STATE%\service.txt" >"%STATE%\workdir.txt"
if not "%errorlevel%"=="0" exit /b 1
set "RABBITMQ_BASE="
for /f "usebackq tokens=2,*" %%A in ("%STATE%\workdir.txt") do set "RABBITMQ_BASE=%%B"
if not defined RABBITMQ_BASE exit /b 1
if not exist "%RABBITMQ_BASE%\." exit /b 1
exit /b 0


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Run servers\CORE02\rabbitmq\rollback-rabbitmq.cmd to go back.
endlocal
exit /b 1


