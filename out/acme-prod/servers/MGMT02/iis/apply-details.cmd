@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Hides what IIS and ASP.NET show to local visitors: behind the proxy everybody is one
rem Made by cbgen for MGMT02, bundle acme-prod 2026.12.1. Change the inventory, not this file.
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

set "STEP=check that this is MGMT02"
if /i "%COMPUTERNAME%"=="MGMT02" goto :right_server
echo This script was made for MGMT02; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\details"
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

rem The first run saves the values of before; a later run must not save its own over them.
if exist "%STATE%\captured.txt" goto :captured
set "STEP=back up the configuration of IIS"
"%APPCMD%" list backup "cbgen-acme-prod-2026.12.1-details" >nul
if "%errorlevel%"=="0" goto :backup_ready
echo Backup of all of IIS, for the last resort: cbgen-acme-prod-2026.12.1-details
"%APPCMD%" add backup "cbgen-acme-prod-2026.12.1-details" >nul
if not "%errorlevel%"=="0" goto :fail
:backup_ready

set "STEP=save errorMode of system.webServer/httpErrors"
call :setting "%SITE%" "system.webServer/httpErrors" errorMode
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now.txt" "%STATE%\errorMode.txt" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=save mode of system.web/customErrors"
call :setting "%SITE%" "system.web/customErrors" mode
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now.txt" "%STATE%\mode.txt" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=save enabled of system.web/trace"
call :setting "%SITE%" "system.web/trace" enabled
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now.txt" "%STATE%\enabled.txt" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=save whether test pages of web services call them"
"%APPCMD%" list config "%SITE%" -section:system.web/webServices >"%STATE%\protocols.txt"
if not "%errorlevel%"=="0" goto :fail
set "STEP=note that the old values are saved"
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=let IIS show its short error pages to everybody"
"%APPCMD%" set config "%SITE%" -section:system.webServer/httpErrors "-errorMode:Custom" /commit:apphost
if not "%errorlevel%"=="0" goto :fail
set "STEP=let ASP.NET show its short error pages to everybody"
"%APPCMD%" set config "%SITE%" -section:system.web/customErrors "-mode:On"
if not "%errorlevel%"=="0" goto :fail
set "STEP=switch the trace pages of ASP.NET off"
"%APPCMD%" set config "%SITE%" -section:system.web/trace "-enabled:false"
if not "%errorlevel%"=="0" goto :fail
set "STEP=look for test pages that call web services"
"%APPCMD%" list config "%SITE%" -section:system.web/webServices >"%STATE%\now.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:"HttpPostLocalhost" "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :no_test_pages
if not "%errorlevel%"=="0" goto :fail
set "STEP=keep test pages from calling web services"
"%APPCMD%" set config "%SITE%" -section:system.web/webServices "/-protocols.[name='HttpPostLocalhost']"
if not "%errorlevel%"=="0" goto :fail
:no_test_pages

set "STEP=read errorMode of system.webServer/httpErrors back"
call :setting "%SITE%" "system.webServer/httpErrors" errorMode
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="Custom" goto :fail

set "STEP=read mode of system.web/customErrors back"
call :setting "%SITE%" "system.web/customErrors" mode
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="On" goto :fail

set "STEP=read enabled of system.web/trace back"
call :setting "%SITE%" "system.web/trace" enabled
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="false" goto :fail
rem An application may have its own answer in its web.config, which wins.
set "STEP=see that EyeQueue shows no details either"
call :setting "%SITE%/EyeQueue" "system.web/customErrors" mode
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="On" goto :own_setting
set "STEP=see that VHQMWS shows no details either"
call :setting "%SITE%/VHQMWS" "system.web/customErrors" mode
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="On" goto :own_setting
set "STEP=see that VHQWatchWS shows no details either"
call :setting "%SITE%/VHQWatchWS" "system.web/customErrors" mode
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="On" goto :own_setting
echo Details stay on this server.
endlocal
exit /b 0

:own_setting
echo The web.config of this application sets customErrors to %VALUE%. Write On there, or remove the element, and run this script again.
goto :fail

rem Reads one attribute of a section, of the site or of an application, into VALUE.
:setting
set "VALUE="
"%APPCMD%" list config "%~1" "-section:%~2" "/text:%~3" >"%STATE%\now.txt"
if not "%errorlevel%"=="0" exit /b 1
for /f "usebackq delims=" %%A in ("%STATE%\now.txt") do set "VALUE=%%A"
exit /b 0


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again, or run servers\MGMT02\iis\rollback-details.cmd to go back.
endlocal
exit /b 1


